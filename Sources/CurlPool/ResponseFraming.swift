import HTTPPool

/// What the fields of a response's head say of its connection: how long the body is, and how long the connection is kept.
///
/// libcurl reads a length as far as it is one, and of several it takes the last. Where peer and client disagree about the
/// end of a response, what follows it is taken for the next one, so a length must be beyond doubt (RFC 9112, 6.3).
struct ResponseFraming {
    /// The length that every `Content-Length` field gave so far.
    private(set) var length: UInt64?
    /// Whether the status line is HTTP/1's, of a response that may have a body.
    private let mayEndWithConnection: Bool
    /// How many seconds the peer keeps the connection without a request, by its `Keep-Alive` field.
    private(set) var keepAliveSeconds: UInt32?

    /// Whether the body comes in chunks.
    private var isChunked = false
    /// Whether the response is HTTP/1.0's.
    private let isHTTP10: Bool
    /// Whether the chunks count, but the connection is closed: there is a length beside them (RFC 9112, 6.3, item 3), or the
    /// response is HTTP/1.0's, which has no chunks (6.1).
    var hasDoubtfulChunks: Bool { isChunked && (length != nil || isHTTP10) }

    /// Whether the last line was a length's, or a coding's.
    private var endsInLength = false

    /// Whether only the end of the connection ends the body (RFC 9112, 6.3). Of a response to HEAD it is not asked.
    var endsWithConnection: Bool { mayEndWithConnection && length == nil && !isChunked }

    init() { (mayEndWithConnection, isHTTP10) = (false, false) }

    /// What follows this status line.
    init(after line: StatusLine) {
        mayEndWithConnection = line.isHTTP1 && line.hasBody
        isHTTP10 = line.isHTTP10
    }

    /// Takes a line of the head.
    ///
    /// - Returns: whether it leaves no doubt about the end of the body.
    mutating func take(field line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = line.first else { return true }
        // Whoever reads the length cannot know that it goes on.
        if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { return !endsInLength }
        endsInLength = false
        // A field has a name.
        if first == UInt8(ascii: ":") { return false }
        switch first | 0x20 {
        case UInt8(ascii: "c"):
            guard let start = line.valueStart(of: "content-length") else { return true }
            endsInLength = true
            return take(lengths: line, from: start)
        case UInt8(ascii: "t"):
            // The only coding that may come without having been asked for, and once only (RFC 9112, 6.1 and 7.4).
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

    /// Takes numbers between commas, each with white space around it. In one pass, for most responses have such a field.
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

    /// Whether a length is one, and the same as those before it.
    private mutating func agrees(_ new: UInt64?) -> Bool {
        // libcurl ignores a length beyond its own numbers, and reads to the end of the connection instead.
        guard let new, new <= UInt64(Int64.max) else { return false }
        defer { length = new }
        return length == nil || length == new
    }

    /// `timeout=5, max=100`
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
    /// Where the value of a field with this name begins, which is in lower case; `nil` for a line of another.
    fileprivate func valueStart(of name: StaticString) -> Int? {
        let length = name.utf8CodeUnitCount
        guard count > length, self[length] == UInt8(ascii: ":") else { return nil }
        // Sound: the name is of ASCII characters, so that it has a pointer, and has as many as are read.
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
