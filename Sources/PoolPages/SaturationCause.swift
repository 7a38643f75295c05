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
    var isUpstream: Bool { kind == .upstreamDown || kind == .upstreamSlow }

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
            let responds = past?.respondsIn.map { " It responds in \(Phrase.duration($0)) (median)." } ?? ""
            words = "The limit is below what the traffic needs.\(responds)"
            advice = "Raise the limit."
            (raising, kind) = (.first, nil)
        }
    }
}
