import HTTPPool

/// What the fields of a response's head say of its connection: how long the body is, and how long the connection is kept.
///
/// libcurl reads a length as far as it is one, and of several it takes the last. Where peer and client disagree about the
/// end of a response, what follows it is taken for the next one, so a length must be beyond doubt (RFC 9112, 6.3).
struct ResponseFraming {
    /// The length that every `Content-Length` field gave so far.
    private var length: UInt64?
    /// Whether the body comes in chunks.
    private var isChunked = false
    /// Whether the status line is HTTP/1's, of a response that may have a body.
    private let mayEndWithConnection: Bool
    /// How many seconds the peer keeps the connection without a request, by its `Keep-Alive` field.
    private(set) var keepAliveSeconds: UInt32?

    /// Whether the last line was a length's.
    private var endsInLength = false

    /// Whether only the end of the connection ends the body (RFC 9112, 6.3). Of a response to HEAD it is not asked.
    var endsWithConnection: Bool { mayEndWithConnection && length == nil && !isChunked }

    init() { mayEndWithConnection = false }

    /// What follows this status line.
    init(after statusLine: UnsafeBufferPointer<UInt8>) {
        let bytes = statusLine.prefix(12)
        let isWithoutBody = bytes.suffix(3).elementsEqual("204".utf8) || bytes.suffix(3).elementsEqual("304".utf8)
        mayEndWithConnection = bytes.starts(with: "HTTP/1.".utf8) && !isWithoutBody
    }

    /// Takes a line of the head.
    ///
    /// - Returns: whether it leaves no doubt about the length.
    mutating func take(field line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = line.first else { return true }
        // Whoever reads the length cannot know that it goes on.
        if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") { return !endsInLength }
        endsInLength = false
        switch first | 0x20 {
        case UInt8(ascii: "c"):
            guard let value = line.value(of: "content-length") else { return true }
            endsInLength = true
            return value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).allSatisfy {
                take(length: $0)
            }
        case UInt8(ascii: "t"):
            guard let value = line.value(of: "transfer-encoding") else { return true }
            isChunked =
                isChunked || value.split(separator: UInt8(ascii: ",")).contains { $0.trimmed.equals("chunked") }
            return true
        case UInt8(ascii: "k"):
            if let value = line.value(of: "keep-alive") { take(keepAlive: value) }
            return true
        default: return true
        }
    }

    private mutating func take(length text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard let new = text.trimmed.decimal else { return false }
        defer { length = new }
        return length == nil || length == new
    }

    /// `timeout=5, max=100`
    private mutating func take(keepAlive value: Slice<UnsafeBufferPointer<UInt8>>) {
        for parameter in value.split(separator: UInt8(ascii: ",")) {
            let parts = parameter.split(separator: UInt8(ascii: "="), maxSplits: 1)
            guard parts.count == 2, parts[0].trimmed.equals("timeout"), let seconds = parts[1].trimmed.decimal else {
                continue
            }
            keepAliveSeconds = UInt32(clamping: seconds)
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The value of a field with this name, which is in lower case; `nil` for a line of another.
    fileprivate func value(of name: StaticString) -> Slice<UnsafeBufferPointer<UInt8>>? {
        let length = name.utf8CodeUnitCount
        guard count > length, self[length] == UInt8(ascii: ":"), self[..<length].equals(name) else { return nil }
        return self[(length + 1)...].trimmed
    }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
    /// Without white space and line ends at either end.
    fileprivate var trimmed: Slice<UnsafeBufferPointer<UInt8>> {
        var rest = self
        while let first = rest.first, first <= 0x20 { rest = rest.dropFirst() }
        while let last = rest.last, last <= 0x20 { rest = rest.dropLast() }
        return rest
    }

    /// The number that its digits are; `nil` where there is anything else, or nothing.
    fileprivate var decimal: UInt64? {
        guard !isEmpty else { return nil }
        var number: UInt64 = 0
        for byte in self {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isBeyond) = tens.addingReportingOverflow(UInt64(byte - 0x30))
            guard !isTooLarge, !isBeyond else { return nil }
            number = sum
        }
        return number
    }

    /// Whether it is `text`, which is in lower case, in whatever case.
    fileprivate func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in
            for (byte, wanted) in zip(self, text) where byte | 0x20 != wanted { return false }
            return true
        }
    }
}
