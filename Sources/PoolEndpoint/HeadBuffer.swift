/// Cuts what a peer sends into the heads of requests, one at a time.
///
/// SwiftNIO's decoder would parse every pipelined request as it arrives, go silent after a request for an upgrade, and not
/// tell a long request line from large header fields. Bodies are never read: a request that has one is the last of its
/// connection.
struct HeadBuffer: Sendable {
    /// The largest sizes, in bytes.
    struct Limits: Sendable, Hashable {
        var line = 8 << 10
        var head = 16 << 10
    }

    private let limits: Limits
    private var bytes: [UInt8] = []
    /// Where the current head begins, where its current line begins, and up to where it was looked at.
    private var (start, line, scanned) = (0, 0, 0)
    /// Empty lines before a request line; a robust server passes over some (RFC 9112, 2.2).
    private var emptyLines = 0

    private static let mostEmptyLines = 16

    init(limits: Limits = Limits()) { self.limits = limits }

    /// Whether bytes of a request have arrived that is not complete, or not taken yet.
    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    mutating func removeAll() {
        bytes = []
        (start, line, scanned) = (0, 0, 0)
    }

    /// The next head, from its request line to its empty line; `nil` as long as it is not complete.
    mutating func next() throws(HeadFault) -> ArraySlice<UInt8>? {
        while scanned < bytes.count {
            let byte = bytes[scanned]
            scanned += 1
            guard byte == UInt8(ascii: "\n") else { continue }
            let length = scanned - 1 - line
            let isEmptyLine = length == 0 || (length == 1 && bytes[line] == UInt8(ascii: "\r"))
            let isFirst = line == start
            line = scanned
            if isFirst, isEmptyLine {
                emptyLines += 1
                guard emptyLines <= Self.mostEmptyLines else { throw .bad("empty lines are no request") }
                start = scanned
            } else if isFirst, length > limits.line {
                throw .lineTooLong
            } else if isEmptyLine {
                guard scanned - start <= limits.head else { throw .headTooLarge }
                return take()
            }
        }
        try check()
        return nil
    }

    private mutating func take() -> ArraySlice<UInt8> {
        let head = bytes[start..<scanned]
        emptyLines = 0
        start = scanned
        if start == bytes.count {
            removeAll()
        } else if start > limits.head {
            bytes.removeSubrange(..<start)
            (start, line, scanned) = (0, 0, 0)
        }
        return head
    }

    /// What an incomplete head already shows.
    private func check() throws(HeadFault) {
        if line == start {
            // Another protocol, such as TLS, would not send the end of a line for a long time.
            let method = bytes[start...].prefix(Self.longestMethod + 1).prefix { $0 != UInt8(ascii: " ") }
            let end = method.last == UInt8(ascii: "\r") ? method.dropLast() : method
            guard end.allSatisfy(\.isTokenByte), end.count <= Self.longestMethod else {
                throw .bad("this is no request of HTTP")
            }
            if scanned - start > limits.line { throw .lineTooLong }
        }
        if scanned - start > limits.head { throw .headTooLarge }
    }

    private static let longestMethod = 32
}

extension UInt8 {
    /// Whether the byte may be part of a token (RFC 9110, 5.6.2).
    var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }

    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
