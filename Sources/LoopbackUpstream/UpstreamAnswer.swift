/// How one request is responded to. Chosen without I/O, so that tests can check the choice.
enum UpstreamAnswer: Sendable, Hashable {
    /// A complete response after a delay in milliseconds.
    case whole(status: Int, Body, afterMilliseconds: Int64 = 0, closes: Bool = false)
    /// Part of a response, then a reset.
    case reset
    /// No response; the connection stays open.
    case hang
    /// No response; the connection is closed.
    case drop

    /// The body of a response.
    enum Body: Sendable, Hashable {
        /// A small document.
        case json
        /// The given number of filler bytes.
        case filling(bytes: Int)
        /// The body of the request.
        case echo
    }

    static let mostBytes = 1 << 30
    static let mostMilliseconds = 3_600_000

    /// The typical behaviour of a service: mostly fast responses, with occasional faults.
    static let everyday = Mix<UpstreamPath>([
        (weight: 700, element: .fast), (weight: 120, element: .slow), (weight: 30, element: .large),
        (weight: 50, element: .error), (weight: 30, element: .close), (weight: 50, element: .echo),
        (weight: 10, element: .reset), (weight: 10, element: .drop),
    ])

    /// Chooses the response to a request for `path` with the query `query`.
    init(to path: UpstreamPath, query: Substring, using random: inout some RandomNumberGenerator) {
        switch path {
        case .fast: self = .whole(status: 200, .json)
        case .slow:
            let asked = Self.number("ms", in: query, allowed: 0...Self.mostMilliseconds)
            let delay = asked ?? Int.random(in: 20...250, using: &random)
            self = .whole(status: 200, .json, afterMilliseconds: Int64(delay))
        case .large:
            let bytes = Self.number("bytes", in: query, allowed: 0...Self.mostBytes) ?? 1 << 20
            self = .whole(status: 200, .filling(bytes: bytes))
        case .error:
            let status = Self.number("status", in: query, allowed: 400...599)
            self = .whole(status: status ?? (Bool.random(using: &random) ? 500 : 503), .json)
        case .close: self = .whole(status: 200, .json, closes: true)
        case .reset: self = .reset
        case .hang: self = .hang
        case .echo: self = .whole(status: 200, .echo)
        case .drop: self = .drop
        case .mix: self = Self(to: Self.everyday.pick(using: &random), query: "", using: &random)
        case .other: self = .whole(status: 404, .json)
        }
    }

    /// The numeric value of `name` in the query; `nil` if it is missing or not allowed.
    private static func number(_ name: String, in query: Substring, allowed: ClosedRange<Int>) -> Int? {
        for pair in query.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if halves.count == 2, halves[0] == name, let number = Int(halves[1]), allowed.contains(number) {
                return number
            }
        }
        return nil
    }
}
