import Glibc
public import HTTPPool
public import HTTPTypes
import Synchronization

/// A pooled client that retries requests according to a ``RetryPolicy``. It wraps another client and is used in its
/// place.
///
/// Each attempt is a separate request to the wrapped client, with an acquisition of its own in the metrics. No
/// connection is held between attempts. When no attempts are left, the caller gets the last response or error
/// unchanged. Cancelling the task ends the wait at once. The total timeout covers all attempts and waits. A failure
/// after the response head was returned is not retried, because the caller has already begun to read the response.
public final class RetryingClient: PooledHTTPClient {
    /// The retry policy.
    public let policy: RetryPolicy
    /// The system time, in seconds since 1970.
    public static let timeOfDay: @Sendable () -> Int = { time(nil) }
    private let client: any PooledHTTPClient
    private let defaults: @Sendable () -> PoolConfiguration
    private let clock: any Clock<Duration>
    private let secondsSince1970: @Sendable () -> Int
    private let random: Mutex<any RandomNumberGenerator & Sendable>

    /// Wraps a client.
    ///
    /// - Parameters:
    ///   - client: sends the attempts; its total timeout covers all of them.
    ///   - policy: the retry policy.
    ///   - clock: measures time and waits.
    ///   - secondsSince1970: the current time, for a `Retry-After` date.
    ///   - random: the source of jitter.
    public convenience init(
        _ client: any PooledHTTPClient & ConfiguredClient,
        policy: RetryPolicy = RetryPolicy(),
        clock: any Clock<Duration> = ContinuousClock(),
        secondsSince1970: @escaping @Sendable () -> Int = timeOfDay,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.init(
            client,
            configuration: { client.configuration },
            policy: policy,
            clock: clock,
            secondsSince1970: secondsSince1970,
            random: random
        )
    }

    /// Wraps a client that does not expose its configuration, such as a custom decorator.
    ///
    /// - Parameters:
    ///   - client: sends the attempts.
    ///   - configuration: returns the limits and timeouts in force, such as `{ pool.configuration }`. The total
    ///     timeout covers all attempts.
    ///   - policy: the retry policy.
    ///   - clock: measures time and waits.
    ///   - secondsSince1970: the current time, for a `Retry-After` date.
    ///   - random: the source of jitter.
    public init(
        _ client: any PooledHTTPClient,
        configuration: @escaping @Sendable () -> PoolConfiguration,
        policy: RetryPolicy = RetryPolicy(),
        clock: any Clock<Duration> = ContinuousClock(),
        secondsSince1970: @escaping @Sendable () -> Int = timeOfDay,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.client = client
        defaults = configuration
        self.policy = policy
        self.clock = clock
        self.secondsSince1970 = secondsSince1970
        self.random = Mutex(random)
    }

    /// Sends a request with retries and returns the response of the last attempt.
    ///
    /// - Throws: the `PoolError` of the last attempt; `CancellationError`.
    public func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        guard policy.mayRepeat(request.method, body) else {
            return try await client.execute(request, body: body, options: options)
        }
        let total = TotalTimeout(options, defaults: defaults())
        let elapsed = clock.stopwatch()
        var number = 1
        while true {
            let pause: Duration
            do {
                var options = try total.options(for: request, after: elapsed())
                options.resendCount += number - 1
                let response = try await client.execute(request, body: body, options: options)
                guard let wait = wait(after: .answer(response.head), number, elapsed(), total) else { return response }
                // Releases the connection before the wait.
                try await response.body.drain()
                pause = wait
            } catch let error as PoolError {
                guard let wait = wait(after: .failure(error.code), number, elapsed(), total) else {
                    throw total.whole(error, after: elapsed())
                }
                pause = wait
            }
            try await clock.sleep(for: pause)
            number += 1
        }
    }

    private func wait(
        after outcome: Attempt.Outcome,
        _ number: Int,
        _ elapsed: Duration,
        _ total: TotalTimeout
    ) -> Duration? {
        let attempt = Attempt(number: number, outcome: outcome, elapsed: elapsed, total: total.total)
        return policy.wait(after: attempt, secondsSince1970: secondsSince1970) { range in
            random.withLock { Int64.random(in: range, using: &$0) }
        }
    }
}

extension RetryingClient: ConfiguredClient {
    /// The wrapped client's limits and timeouts.
    public var configuration: PoolConfiguration { defaults() }
}

extension Clock<Duration> {
    /// Returns a function that returns the time since its creation.
    fileprivate func stopwatch() -> @Sendable () -> Duration {
        let start = now
        return { start.duration(to: now) }
    }
}
