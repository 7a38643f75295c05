package import HTTPPool
package import HTTPTypes

/// The result of an attempt.
package struct Attempt: Sendable {
    /// A response, or the cause of a failure.
    package enum Outcome: Sendable {
        case answer(HTTPResponse)
        case failure(PoolError.Code)
    }

    /// The number of the attempt, starting at 1.
    package var number: Int
    /// The outcome.
    package var outcome: Outcome
    /// The time since the start of the first attempt.
    package var elapsed: Duration
    /// The total timeout of the request; `nil` means no limit.
    package var total: Duration?

    /// Creates a description of an attempt.
    package init(number: Int, outcome: Outcome, elapsed: Duration, total: Duration? = nil) {
        self.number = number
        self.outcome = outcome
        self.elapsed = elapsed
        self.total = total
    }
}

extension RetryPolicy {
    /// Whether the request may be sent again.
    package func mayRepeat(_ method: HTTPRequest.Method, _ body: HTTPRequestBody) -> Bool {
        attempts > 1 && methods.contains(method) && body.isReplayable
    }

    /// How long to wait before the next attempt; `nil` to return this attempt's outcome to the caller.
    ///
    /// - Parameters:
    ///   - attempt: the attempt that ended.
    ///   - secondsSince1970: the current time, read only if the response has a `Retry-After` field.
    ///   - random: a random number in a range, drawn only if another attempt is possible.
    package func wait(
        after attempt: Attempt,
        secondsSince1970: () -> Int,
        random: (ClosedRange<Int64>) -> Int64
    ) -> Duration? {
        guard attempt.number < attempts else { return nil }
        var wait = Duration.zero
        switch attempt.outcome {
        case .answer(let head):
            guard statuses.contains(head.status.code) else { return nil }
            if let asked = head.headerFields[.retryAfter].flatMap({ RetryAfter.wait($0, now: secondsSince1970()) }) {
                wait = min(asked, longestRetryAfter)
            }
        case .failure(let code):
            guard errors.contains(code) else { return nil }
        }
        wait += .nanoseconds(random(0...ceiling(after: attempt.number)))
        let end = [budget, attempt.total].compactMap { $0 }.min()
        if let end, attempt.elapsed + wait >= end { return nil }
        return wait
    }

    /// The maximum random wait after `attempts` attempts, in nanoseconds.
    private func ceiling(after attempts: Int) -> Int64 {
        let (base, cap) = (base.wholeNanoseconds, cap.wholeNanoseconds)
        // If the doublings overflow 64 bits, the cap applies.
        let (doubled, overflow) = base.multipliedReportingOverflow(by: 1 << UInt64(clamping: min(attempts - 1, 63)))
        return Int64(clamping: overflow ? cap : min(doubled, cap))
    }
}
