package import HTTPPool
package import HTTPTypes

/// What an attempt came to.
package struct Attempt: Sendable {
    /// An answer, or the cause of a failure.
    package enum Outcome: Sendable {
        case answer(HTTPResponse)
        case failure(PoolError.Code)
    }

    /// Its number, from 1.
    package var number: Int
    /// What came of it.
    package var outcome: Outcome
    /// How long since the first attempt began.
    package var elapsed: Duration
    /// The total timeout of the request.
    package var total: Duration?

    /// Describes one.
    package init(number: Int, outcome: Outcome, elapsed: Duration, total: Duration? = nil) {
        self.number = number
        self.outcome = outcome
        self.elapsed = elapsed
        self.total = total
    }
}

extension RetryPolicy {
    /// Whether a request may be sent a second time.
    package func mayRepeat(_ method: HTTPRequest.Method, _ body: HTTPRequestBody) -> Bool {
        attempts > 1 && methods.contains(method) && body.isReplayable
    }

    /// How long to wait before the next attempt; `nil` where this one was the last and its outcome is the caller's.
    ///
    /// - Parameters:
    ///   - attempt: the one that ended.
    ///   - secondsSince1970: the time of day, asked for only where the answer says how long to wait.
    ///   - random: a number in a range, asked for only where there may be another attempt.
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

    /// The most nanoseconds of random wait after so many attempts.
    private func ceiling(after attempts: Int) -> Int64 {
        let (base, cap) = (base.wholeNanoseconds, cap.wholeNanoseconds)
        // Past the doublings that fit into 64 bits there is only the cap.
        let (doubled, overflow) = base.multipliedReportingOverflow(by: 1 << UInt64(clamping: min(attempts - 1, 63)))
        return Int64(clamping: overflow ? cap : min(doubled, cap))
    }
}
