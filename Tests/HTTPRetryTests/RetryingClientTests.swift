import CurlPool
import HTTPPool
import HTTPRetry
import HTTPTypes
import LoopbackUpstream
import Synchronization
import TestSupport
import Testing

@Suite("A client that retries")
struct RetryingClientTests {
    private let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")

    /// Each wait is its ceiling: 100, 200, 400 milliseconds and so on.
    private struct Highest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    private func retrying(
        _ client: ScriptedClient,
        _ clock: ManualClock = ManualClock(jumps: true),
        attempts: Int = 3
    ) -> RetryingClient {
        var policy = RetryPolicy()
        policy.attempts = attempts
        return RetryingClient(
            client,
            policy: policy,
            clock: clock,
            secondsSince1970: { 784_111_777 },
            random: Highest()
        )
    }

    @Test("sends again until it works, waits longer each time, and lets go of what it does not pass on")
    func works() async throws {
        let client = ScriptedClient([.answer(503), .failure(.connectFailed), .answer(429), .answer(200)])
        let clock = ManualClock(jumps: true)
        let response = try await retrying(client, clock, attempts: 5).execute(request)
        #expect(response.status == .ok)
        #expect(try await response.body.collect() == Array("4".utf8))
        #expect(clock.pauses == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(client.discarded == 2)
    }

    @Test("passes the last answer on as it is when the attempts are used up")
    func lastAnswer() async throws {
        let client = ScriptedClient([.answer(502), .answer(503), .answer(504)])
        let response = try await retrying(client).execute(request)
        #expect(response.status == .gatewayTimeout)
        #expect(try await response.body.collect() == Array("3".utf8))
        #expect(client.attempts.count == 3)
        #expect(client.discarded == 2)
    }

    @Test("passes the last error on as it is")
    func lastError() async throws {
        let client = ScriptedClient([.answer(503), .failure(.connectionLost)])
        let error = try await #require(throws: PoolError.self) { try await retrying(client).execute(request) }
        #expect(error == PoolError(.connectionLost, "attempt 3", phase: .exchange, elapsed: .seconds(3)))
    }

    @Test("sends once what may not be sent twice, and what worked, and what fails for good")
    func once() async throws {
        let chunks = AsyncStream<[UInt8]> { $0.finish() }
        var post = request
        post.method = .post
        var client = ScriptedClient([.answer(503)])
        _ = try await retrying(client).execute(post, body: "x")
        _ = try await retrying(client).execute(request, body: .stream(chunks))
        _ = try await retrying(client, attempts: 1).execute(request)
        #expect(client.attempts.count == 3)
        client = ScriptedClient([.answer(404)])
        _ = try await retrying(client).execute(request)
        #expect(client.attempts.count == 1)
        for code in [PoolError.Code.acquireTimeout, .queueFull, .shutdown, .invalidRequest] {
            client = ScriptedClient([.failure(code)])
            await #expect(throws: PoolError.self) { try await retrying(client).execute(request) }
            #expect(client.attempts.count == 1)
        }
        client = ScriptedClient([.cancelled])
        await #expect(throws: CancellationError.self) { try await retrying(client).execute(request) }
        #expect(client.attempts.count == 1)
    }

    @Test("waits as Retry-After asks, by the time of day")
    func retryAfter() async throws {
        let date = "Sun, 06 Nov 1994 08:49:47 GMT"
        let client = ScriptedClient([.answer(429, retryAfter: "2"), .answer(503, retryAfter: date), .answer(200)])
        let clock = ManualClock(jumps: true)
        _ = try await retrying(client, clock).execute(request)
        #expect(clock.pauses == [.milliseconds(2100), .milliseconds(10_200)])
    }

    @Test("gives each attempt what is left of the total timeout, and does not wait past its end")
    func total() async throws {
        let clock = ManualClock(jumps: true)
        let client = ScriptedClient([.answer(503)]) { clock.advance(by: .seconds(1)) }
        var options = RequestOptions(site: CallSite("retry"))
        var timeouts = PoolTimeouts()
        timeouts.total = .milliseconds(3300)
        options.timeouts = RequestTimeouts(timeouts)
        let response = try await retrying(client, clock, attempts: 10).execute(request, body: .none, options: options)
        #expect(response.status == .serviceUnavailable)
        // A second each, and a tenth and two tenths between them; another four tenths would end past the timeout.
        #expect(client.attempts.map { $0.timeouts.total } == [.milliseconds(3300), .milliseconds(2200), .seconds(1)])
        #expect(
            client.attempts.allSatisfy {
                $0.site == options.site && $0.timeouts.over(PoolTimeouts()).read == timeouts.read
            }
        )
    }

    @Test("tells the total timeout of an attempt in terms of the whole")
    func totalTimeout() async throws {
        let clock = ManualClock(jumps: true)
        let client = ScriptedClient([.answer(503), .failure(.totalTimeout)]) { clock.advance(by: .seconds(1)) }
        var options = RequestOptions()
        var timeouts = PoolTimeouts()
        timeouts.total = .seconds(2)
        options.timeouts = RequestTimeouts(timeouts)
        let error = try await #require(throws: PoolError.self) {
            try await retrying(client, clock).execute(request, body: .none, options: options)
        }
        let limit = PoolError.Limit(setting: .totalTimeout, value: .duration(.seconds(2)), source: .code)
        #expect(error.limit == limit)
        #expect(error.elapsed == .milliseconds(2100))
    }

    @Test("ends at once when the task is cancelled while it waits")
    func cancelled() async throws {
        let client = ScriptedClient([.answer(503)])
        let clock = ManualClock()
        let retrying = retrying(client, clock)
        let task = Task { [request] in try await retrying.execute(request) }
        try await eventually("it waits") { clock.sleeping == 1 }
        #expect(client.discarded == 1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeping == 0)
        #expect(client.attempts.count == 1)
    }

    @Test("has the wrapped client's configuration, so that it can be wrapped in turn")
    func configuration() {
        let client = ScriptedClient([.answer(200)])
        #expect(retrying(client).configuration == client.configuration)
    }

    @Test("over a real pool holds no connection while it waits; each attempt is an acquisition")
    func overPool() async throws {
        let seen = Mutex(0)
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                let number = seen.withLock { seen in
                    seen += 1
                    return seen
                }
                if number < 3 {
                    connection.write("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nRetry-After: 1\r\n\r\nbusy")
                } else {
                    connection.answer("done")
                }
            }
        }
        let pool = try CurlClient()
        let journal = Journal()
        let clock = ManualClock()
        let retrying = RetryingClient(pool, clock: clock, random: SplitMix64(seed: 1))
        try pool.attach(journal)
        let request = HTTPRequest(method: .get, scheme: "http", authority: peer.authority, path: "/")
        let task = Task { try await retrying.execute(request) }
        for attempt in 1...2 {
            try await eventually("it waits") { clock.sleeping == 1 }
            try await eventually("its connection is idle") { journal.levels.connections.idle == 1 }
            #expect(journal.levels.connections.total == 1)
            #expect(journal.levels.requests.total == 0)
            #expect(journal.acquireKinds.count == attempt)
            clock.advance(by: .seconds(2))
        }
        let response = try await task.value
        #expect(try await response.body.collect() == Array("done".utf8))
        #expect(journal.acquireKinds == [.new, .reused, .reused])
        #expect(peer.connections == 1)
        #expect(clock.pauses.allSatisfy { $0 >= .seconds(1) && $0 <= .milliseconds(1200) })
        await pool.shutdown(.immediate)
    }
}
