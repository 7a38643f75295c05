import HTTPPool
import PoolMetrics

/// Why a limit is reached, and what to do first. The first that fits.
struct SaturationCause {
    /// What raising the limit would do.
    enum Raising {
        /// Nothing good: the connections are held for another reason.
        case never
        /// It buys time, after the first advice.
        case second
        /// It is the cure.
        case first
    }

    let words: String
    let advice: String
    let raising: Raising
    /// The finding that it is, if it is one.
    let kind: VerdictKind?

    /// Whether the upstream is the cause.
    var isUpstream: Bool { kind == .upstreamDown || kind == .upstreamSlow || kind == .upstreamFailing }

    /// - Parameters:
    ///   - origin: the origin that holds the connections; `nil` if it is no single one.
    ///   - connections: those of the limit.
    init(
        _ pool: PoolDiagnosis,
        _ origin: OriginReading?,
        _ past: OriginReport?,
        connections: ConnectionLevels
    ) {
        let all = connections.taken
        let holdings = pool.report.holdings.filter { origin == nil || $0.origin == origin?.label }
        let caller = holdings.reduce(0) { $0 + $1.caller }
        let overdue = pool.report.conditions.first {
            $0.condition == .leakSuspected && (origin == nil || $0.origin == origin?.label)
        }
        let site = holdings.max { $0.caller < $1.caller }.map { Phrase.site($0.site) } ?? "the call site"
        if overdue != nil, 2 * caller >= all {
            words =
                "Our own code holds \(Phrase.count(caller)) of \(Phrase.count(all, "connection")) and does not read on, most in call site \(site)."
            advice = "In the code of \(site): read each body to its end, call discard(), or let go of the response."
            (raising, kind) = (.never, .leakSuspected)
        } else if pool.holds(.upstreamDown, origin?.label) != nil || 2 * connections.connecting >= all, all > 0 {
            words =
                "The upstream is down or slow to accept: \(Phrase.count(connections.connecting)) of \(Phrase.count(all, "connection")) are being opened."
            advice = "Check the upstream and the way to it. More connections would not help."
            (raising, kind) = (.never, .upstreamDown)
        } else if let silence = Silence(pool, origin, past, of: all) {
            (words, advice) = (silence.words, silence.advice)
            (raising, kind) = (.never, .upstreamSlow)
        } else if let failures = Self.failures(pool, past) {
            words = "The upstream fails: \(failures)."
            advice = "Look into the upstream's log. More connections would only bring more failures."
            (raising, kind) = (.never, .upstreamFailing)
        } else if let now = past?.respondsIn,
            // A saturation is reported before a slow upstream is, and must not advise to raise the limit until then.
            pool.holds(.upstreamSlow, origin?.label) != nil || ConditionRules.isSlow(now, usually: past?.usual)
        {
            let usual = past?.usual.map { ", usually in \(Phrase.duration($0))" } ?? ""
            words = "The upstream is slow: it responds in \(Phrase.duration(now))\(usual) (medians)."
            advice = "Find out why it is slow. More connections would only add to its load."
            (raising, kind) = (.second, .upstreamSlow)
        } else if 2 * caller >= all, all > 0 {
            words =
                "Our own code is slow to read the responses: it holds \(Phrase.count(caller)) of \(Phrase.count(all, "connection")) now, most in call site \(site)."
            advice = "Make the code of \(site) read its responses faster, or read them to their end before it goes on."
            (raising, kind) = (.second, nil)
        } else {
            let responds = past?.median.map { " It responds in \(Phrase.duration($0)) (median)." } ?? ""
            words = "The limit is below what the traffic needs.\(responds)"
            advice = "Raise the limit."
            (raising, kind) = (.first, nil)
        }
    }

    /// That most requests failed in the last seconds; `nil` if they did not.
    private static func failures(_ pool: PoolDiagnosis, _ past: OriginReport?) -> String? {
        guard let counts = past?.justNow, counts.leases >= 3, 2 * counts.leaseFailures >= counts.leases else {
            return nil
        }
        let last = past?.lastError.map { ", the last one: \($0.words)" } ?? ""
        return
            "\(Phrase.count(counts.leaseFailures)) of the last \(Phrase.count(counts.leases, "request")) failed\(last)"
    }
}

/// An upstream of which most connections wait for a byte, and that has sent none for too long: no response at all, or the rest of
/// those that it has begun.
private struct Silence {
    let words: String
    let advice: String

    /// - Parameter all: the connections of the limit that are taken.
    init?(_ pool: PoolDiagnosis, _ origin: OriginReading?, _ past: OriginReport?, of all: Int) {
        guard let origin, let past, all > 0 else { return nil }
        let now = pool.now
        func age(_ time: MonotonicTime) -> Double { Double(now - time) / 1e9 }
        let typical = 3 * (past.usual ?? past.median ?? 0)
        let requests = pool.report.requests.filter { $0.origin == origin.label }
        let stopped = requests.filter { request in
            request.phase == .receiving && request.moved.map { age($0) >= max(Self.pause, typical) } ?? false
        }
        if 2 * stopped.count >= all, let oldest = stopped.compactMap(\.moved).min() {
            words =
                "The upstream stops within its responses: \(Phrase.count(stopped.count)) of \(Phrase.count(all, "connection")) wait for the rest of one, the longest for \(Phrase.duration(age(oldest)))."
            advice = "Find out why it does not send the rest. More connections would only add to its load."
            return
        }
        let waiting = requests.filter { $0.phase == .waitingForHead || $0.phase == .sending }
        // A shorter silence may be an upstream that is only slow, which is checked for later.
        let patience = past.lastResponse == nil ? Self.pause : max(Self.silence, typical)
        guard 2 * waiting.count >= all, let oldest = waiting.map(\.since).min() else { return nil }
        // A pool that was at rest has had no response either, and a short timeout ends requests before they are old.
        let hasFailed =
            past.justNow.leaseFailures >= 3
            && past.lastError.map { error in past.lastResponse.map { error.time > $0 } ?? true } ?? false
        guard age(oldest) >= patience || hasFailed else { return nil }
        let since = past.lastResponse.map { max($0, pool.report.began) }
        guard since.map({ age($0) >= patience }) ?? true else { return nil }
        let time = since.map { "for \(Phrase.duration(age($0)))" } ?? "since the start"
        let usual = past.usual.map { ", and responds in \(Phrase.duration($0)) usually" } ?? ""
        words = "The upstream has not responded \(time)\(usual)."
        advice = "Find out why it does not respond. More connections would only add to its load."
    }

    /// In seconds: without a byte of a response that has begun, or of an upstream that has never responded; and without any
    /// response.
    private static let pause = 2.0
    private static let silence = 6.0
}
