import HTTPPool
import HTTPRetry
import HTTPTypes
import LoopbackUpstream
import Testing

@Suite("The policy of retries")
struct RetryPolicyTests {
    private let now = 784_111_777

    private func answer(_ status: Int, _ retryAfter: String? = nil) -> Attempt.Outcome {
        var head = HTTPResponse(status: .init(code: status))
        if let retryAfter { head.headerFields[.retryAfter] = retryAfter }
        return .answer(head)
    }

    private func wait(
        _ policy: RetryPolicy = RetryPolicy(),
        after outcome: Attempt.Outcome,
        number: Int = 1,
        elapsed: Duration = .zero,
        total: Duration? = nil
    ) -> Duration? {
        var random = SplitMix64(seed: 1)
        let attempt = Attempt(number: number, outcome: outcome, elapsed: elapsed, total: total)
        return policy.wait(after: attempt, secondsSince1970: { now }, random: { .random(in: $0, using: &random) })
    }

    /// No random wait.
    private var steady: RetryPolicy {
        var policy = RetryPolicy()
        policy.base = .zero
        return policy
    }

    @Test("Which statuses are worth another attempt")
    func statuses() {
        let worth = (100..<600).filter { wait(after: answer($0)) != nil }
        #expect(worth == [408, 429, 502, 503, 504])
    }

    @Test("Which errors are: never those of a saturated pool")
    func errors() {
        let all: [PoolError.Code] = [
            .acquireTimeout, .queueFull, .connectTimeout, .connectFailed, .dnsFailed, .tlsFailed, .readTimeout,
            .writeTimeout, .totalTimeout, .connectionLost, .invalidRequest, .invalidResponse, .responseTooLarge,
            .proxyFailed, .tooManyRedirects, .redirectRefused, .shutdown, .observerRefused, .outOfResources,
        ]
        let worth = all.filter { wait(after: .failure($0)) != nil }
        #expect(worth == [.connectTimeout, .connectFailed, .dnsFailed, .connectionLost])
    }

    @Test("Which requests may be sent twice")
    func requests() {
        let policy = RetryPolicy()
        let chunks = AsyncStream<[UInt8]> { $0.finish() }
        for method in [HTTPRequest.Method.get, .head, .options, .trace, .put, .delete] {
            #expect(policy.mayRepeat(method, "x"))
            #expect(policy.mayRepeat(method, .replayableStream { chunks }))
            #expect(!policy.mayRepeat(method, .stream(chunks)))
        }
        for method in [HTTPRequest.Method.post, .patch, .connect] { #expect(!policy.mayRepeat(method, .none)) }
        var withPost = policy
        withPost.methods.insert(.post)
        #expect(withPost.mayRepeat(.post, "x"))
        #expect(!withPost.mayRepeat(.post, .stream(chunks)))
        for attempts in [1, 0, -1] {
            var once = policy
            once.attempts = attempts
            #expect(!once.mayRepeat(.get, .none))
        }
    }

    @Test("The attempts are counted")
    func attempts() {
        var policy = RetryPolicy()
        policy.attempts = 5
        let numbers = (1...8).filter { wait(policy, after: answer(503), number: $0) != nil }
        #expect(numbers == [1, 2, 3, 4])
    }

    @Test(
        "The wait lies between zero and a ceiling that doubles up to the cap, and fills all of it",
        arguments: 0..<4 as Range<UInt64>
    )
    func jitter(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var policy = RetryPolicy()
        policy.attempts = .max
        policy.budget = nil
        for number in [1, 2, 3, 4, 5, 7, 8, 9, 40, 63, 64, 65, 1000, .max - 1] {
            let ceiling = min(Duration.seconds(10), .milliseconds(100) * (1 << min(number - 1, 20)))
            let attempt = Attempt(number: number, outcome: .failure(.connectFailed), elapsed: .zero)
            var (least, most) = (Duration.seconds(1000), Duration.zero)
            for _ in 0..<1000 {
                let wait = try #require(
                    policy.wait(after: attempt, secondsSince1970: { now }, random: { .random(in: $0, using: &random) })
                )
                (least, most) = (min(least, wait), max(most, wait))
            }
            #expect(least >= .zero && most <= ceiling)
            #expect(least < ceiling / 50 && most > ceiling * 49 / 50, "\(number): \(least) to \(most)")
        }
    }

    @Test("Any base and cap give a wait within them")
    func anySettings() throws {
        var random = SplitMix64(seed: 9)
        let durations: [Duration] = [.zero, .seconds(-5), .nanoseconds(1), .seconds(1), .seconds(Int64.max)]
        for base in durations {
            for cap in durations {
                var policy = RetryPolicy()
                (policy.base, policy.cap, policy.budget, policy.attempts) = (base, cap, nil, .max)
                for number in [1, 2, 63, 64, .max - 1] {
                    let attempt = Attempt(number: number, outcome: answer(503), elapsed: .zero)
                    let wait = try #require(
                        policy.wait(
                            after: attempt,
                            secondsSince1970: { 0 },
                            random: { .random(in: $0, using: &random) }
                        )
                    )
                    #expect(wait >= .zero && wait <= max(cap, .zero))
                }
            }
        }
    }

    @Test(
        "Retry-After is obeyed up to its cap",
        arguments: [
            ("0", 0), ("7", 7), ("30", 30), ("31", 30), ("99999999999999999999", 30), ("soon", 0),
            ("Sun, 06 Nov 1994 08:49:44 GMT", 7), ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
            ("Sun Nov  6 09:49:37 1994", 30),
        ]
    )
    func retryAfter(text: String, seconds: Int) {
        #expect(wait(steady, after: answer(429, text)) == .seconds(seconds))
    }

    @Test("The random wait comes on top of what the peer asks for")
    func retryAfterWithJitter() throws {
        let jitter = try #require(wait(after: answer(503)))
        #expect(jitter > .zero)
        #expect(wait(after: answer(503, "7")) == .seconds(7) + jitter)
    }

    @Test("Nothing is waited for that would end past the budget or the total timeout")
    func allowance() {
        var policy = steady
        policy.budget = .seconds(10)
        #expect(wait(policy, after: answer(503, "3"), elapsed: .seconds(6)) == .seconds(3))
        #expect(wait(policy, after: answer(503, "3"), elapsed: .seconds(7)) == nil)
        #expect(wait(policy, after: answer(503, "3"), elapsed: .seconds(1), total: .seconds(5)) == .seconds(3))
        #expect(wait(policy, after: answer(503, "3"), elapsed: .seconds(2), total: .seconds(5)) == nil)
        #expect(wait(policy, after: answer(503, "3"), elapsed: .seconds(8), total: .seconds(500)) == nil)
        policy.budget = nil
        #expect(wait(policy, after: answer(503, "3"), elapsed: .seconds(1_000_000)) == .seconds(3))
    }
}
