package import HTTPPool
import PoolMetrics

/// What a pool, or the process, is found to be in.
package enum VerdictKind: String, Sendable, Hashable, CaseIterable {
    // In order of precedence: the first that fits is the headline.
    case stalled
    case outOfDescriptors = "out_of_descriptors"
    case saturatedPerOrigin = "saturated_per_origin"
    case saturated
    case saturatedStreams = "saturated_streams"
    case leakSuspected = "leak_suspected"
    case upstreamSilent = "upstream_silent"
    case upstreamDown = "upstream_down"
    case upstreamFailing = "upstream_failing"
    case upstreamSlow = "upstream_slow"
    case clientPerRequest = "client_per_request"
    case noReuse = "no_reuse"
    case evictionChurn = "eviction_churn"
    case reloadFailed = "reload_failed"
    case nearLimit = "near_limit"
    case ending
    case idle
    case healthy

    /// The word at the beginning of a page. It is in capitals, because color must not carry it.
    package var word: String {
        switch self {
        case .stalled: "STALLED"
        case .outOfDescriptors: "OUT OF FILE DESCRIPTORS"
        case .saturatedPerOrigin, .saturated, .saturatedStreams: "SATURATED"
        case .leakSuspected: "LEAK SUSPECTED"
        case .upstreamSilent: "UPSTREAM SILENT"
        case .upstreamDown: "UPSTREAM DOWN"
        case .upstreamFailing: "UPSTREAM FAILING"
        case .upstreamSlow: "UPSTREAM SLOW"
        case .clientPerRequest: "CLIENT PER REQUEST"
        case .noReuse: "NO REUSE"
        case .evictionChurn: "CHURN"
        case .reloadFailed: "RELOAD FAILED"
        case .nearLimit: "CLOSE TO A LIMIT"
        case .ending: "ENDING"
        case .idle: "IDLE"
        case .healthy: "HEALTHY"
        }
    }

    /// Position in order of precedence.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    init?(_ condition: PoolCondition) { self.init(rawValue: condition.rawValue) }
}

/// The severity of a verdict. The raw value is the exit status of `poolscope check`.
package enum VerdictSeverity: Int32, Sendable, Hashable, Comparable {
    case ok = 0
    case warning = 1
    case critical = 2

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// The value in JSON.
    package var name: String {
        switch self {
        case .ok: "ok"
        case .warning: "warning"
        case .critical: "critical"
        }
    }
}

/// A finding, in words that a person reads first, and in numbers for programs.
package struct Verdict: Sendable {
    /// A line of evidence or advice: `cause`, `limit`, `do first`. Long texts are wrapped where they are shown.
    package struct Row: Sendable, Hashable {
        package let label: String
        package let text: String
    }

    package let kind: VerdictKind
    package let severity: VerdictSeverity
    /// The pool; `nil` for a finding about the process.
    package let pool: String?
    /// The origin that it is about, if it is about one.
    package let origin: String?
    /// When the condition began; `nil` where that means nothing.
    package let began: MonotonicTime?
    /// How long it has held, in seconds.
    package let age: Double?
    /// What follows the word and the age.
    package let title: String
    /// How bad it is now, in a sentence or two.
    package var summary = ""
    /// Evidence, then advice.
    package var rows: [Row] = []
    /// The numbers of the text, by the names that they have in JSON.
    package var numbers: [Number] = []
    /// The finding that explains it, if one does.
    var cause: VerdictKind?
    /// The requests that are queued because of it: of two verdicts of one kind, the one with more comes first.
    var queued = 0

    /// A number of a verdict.
    package struct Number: Sendable, Hashable {
        /// The name, with the unit: `oldest_queued_seconds`.
        package let name: String
        package let value: Double
    }

    init(
        _ kind: VerdictKind,
        _ severity: VerdictSeverity,
        pool: String?,
        origin: String? = nil,
        began: MonotonicTime? = nil,
        now: MonotonicTime,
        _ title: String
    ) {
        self.kind = kind
        self.severity = severity
        self.pool = pool
        self.origin = origin
        self.began = began
        self.age = began.map { Double(now - $0) / 1e9 }
        self.title = title
    }

    /// The first line of a page: `SATURATED for 4 min 10 s: all 20 connections are in use`.
    package var headline: String { "\(short): \(title)" }

    /// The last line of a page: `SATURATED for 4 min 10 s`.
    package var short: String { kind.word + (age.map { " for \(Phrase.duration($0))" } ?? "") }

    mutating func add(_ label: String, _ text: String?) {
        if let text, !text.isEmpty { rows.append(Row(label: label, text: text)) }
    }

    mutating func add(_ name: String, _ value: some BinaryInteger) {
        numbers.append(Number(name: name, value: Double(value)))
    }

    mutating func add(_ name: String, _ value: Double?) {
        if let value { numbers.append(Number(name: name, value: value)) }
    }
}
