import HTTPPool

/// The framing of a response, from the fields of its head: the length of the body, and how long the connection is
/// kept.
///
/// libcurl parses as much of a length as is numeric, and uses the last of several. If peer and client disagree
/// about the end of a response, the bytes after it are taken for the next one, so a length must be unambiguous (RFC
/// 9112, 6.3).
struct ResponseFraming {
    /// The value of all `Content-Length` fields so far, in bytes.
    private(set) var length: UInt64?
    /// Whether the status line is HTTP/1's and allows a body.
    private let mayEndWithConnection: Bool
    /// How long the peer keeps an idle connection according to its `Keep-Alive` field, in seconds.
    private(set) var keepAliveSeconds: UInt32?

    /// Whether the body is chunked.
    private var isChunked = false
    /// Whether the response is HTTP/1.0.
    private let isHTTP10: Bool
    /// Whether the chunks apply, but the connection is closed: there is a length as well (RFC 9112, 6.3, item 3), or the
    /// response is HTTP/1.0, which has no chunks (6.1).
    var hasDoubtfulChunks: Bool { isChunked && (length != nil || isHTTP10) }

    /// Whether the last line was a `Content-Length` or `Transfer-Encoding` field.
    private var endsInLength = false

    /// Whether the body is delimited by the close of the connection (RFC 9112, 6.3). Not meaningful for a response
    /// to HEAD.
    var endsWithConnection: Bool { mayEndWithConnection && length == nil && !isChunked }

    /// Whether the length alone delimits the body: chunks take precedence (RFC 9112, 6.3, item 3).
    var isDelimitedByLength: Bool { length != nil && !isChunked }

    init() { (mayEndWithConnection, isHTTP10) = (false, false) }

    /// Begins a head with this status line.
    init(after line: StatusLine) {
        mayEndWithConnection = line.isHTTP1 && line.hasBody
        isHTTP10 = line.isHTTP10
    }

    /// Takes a line of the head.
    ///
    /// - Returns: `false` if it makes the end of the body ambiguous.
    mutating func take(field line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = line.first else { return true }
        // A recipient that parses fields line by line would miss that the length is continued.
        if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { return !endsInLength }
        endsInLength = false
        // The field name is missing.
        if first == UInt8(ascii: ":") { return false }
        switch first | 0x20 {
        case UInt8(ascii: "c"):
            guard let start = line.valueStart(of: "content-length") else { return true }
            endsInLength = true
            return take(lengths: line, from: start)
        case UInt8(ascii: "t"):
            // Chunked is the only coding that may be used without being requested, and only once (RFC 9112, 6.1 and
            // 7.4).
            guard let start = line.valueStart(of: "transfer-encoding") else { return true }
            endsInLength = true
            defer { isChunked = true }
            let value = Substring(decoding: line[start...], as: UTF8.self).trimming(while: \.isWhitespace)
            return !isChunked && value.lowercased() == "chunked"
        case UInt8(ascii: "k"):
            if let start = line.valueStart(of: "keep-alive") { take(keepAlive: line[start...]) }
            return true
        default: return true
        }
    }

    /// Parses numbers separated by commas, with optional white space. In one pass, because most responses have this
    /// field.
    private mutating func take(lengths line: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
        var number: UInt64?
        var isOver = false
        for index in start..<line.count {
            let byte = line[index]
            if byte >= 0x30, byte <= 0x39, !isOver {
                let (tens, isTooLarge) = (number ?? 0).multipliedReportingOverflow(by: 10)
                let (sum, isBeyond) = tens.addingReportingOverflow(UInt64(byte - 0x30))
                if isTooLarge || isBeyond { return false }
                number = sum
            } else if byte == UInt8(ascii: ",") {
                guard agrees(number) else { return false }
                (number, isOver) = (nil, false)
            } else if byte <= 0x20 {
                isOver = number != nil
            } else {
                return false
            }
        }
        return agrees(number)
    }

    /// Whether the length is valid and equal to those before it.
    private mutating func agrees(_ new: UInt64?) -> Bool {
        // libcurl ignores a length beyond its own numbers, and reads to the end of the connection instead.
        guard let new, new <= UInt64(Int64.max) else { return false }
        defer { length = new }
        return length == nil || length == new
    }

    /// Parses `timeout=5, max=100`.
    private mutating func take(keepAlive value: Slice<UnsafeBufferPointer<UInt8>>) {
        let text = String(decoding: value, as: UTF8.self).lowercased()
        for parameter in text.split(separator: ",") {
            let parts = parameter.split(separator: "=", maxSplits: 1).map { $0.trimming(while: \.isWhitespace) }
            guard parts.count == 2, parts[0] == "timeout", let seconds = UInt64(parts[1]) else { continue }
            keepAliveSeconds = UInt32(clamping: seconds)
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The offset of the value if the line is a field with this name.
    ///
    /// - Parameter name: ASCII, in lower case.
    /// - Returns: `nil` for any other line.
    fileprivate func valueStart(of name: StaticString) -> Int? {
        let length = name.utf8CodeUnitCount
        guard count > length, self[length] == UInt8(ascii: ":") else { return nil }
        // Sound: an ASCII literal has a pointer representation, and no more than its `length` bytes are read.
        let wanted = name.utf8Start
        for index in 0..<length where self[index] | 0x20 != wanted[index] { return nil }
        return length + 1
    }
}

extension Substring {
    fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> Substring {
        let begun = drop(while: isTrimmed)
        return begun.lastIndex { !isTrimmed($0) }.map { begun[...$0] } ?? ""
    }
}
