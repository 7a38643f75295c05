import Glibc
import HTTPPool
import HTTPTypes
import Synchronization
import Unpacking

/// The header block of a response. It is validated at once; its fields are parsed on first access.
final class HeaderBlock: ResponseHeadSource {
    /// Why a block is malformed.
    struct Malformed: Error {
        let reason: String
    }

    let status: HTTPResponse.Status
    private let bytes: [UInt8]
    /// The offset of the first field.
    private let fieldsStart: Int
    private let fieldCount: Int
    /// The codings of the body that are undone, in the order in which they were applied.
    let codings: [ContentCoding]
    private let acquired: Acquisition?
    private let submitted: MonotonicTime
    private let read = AtomicLazyReference<Read>()

    /// The parsed head.
    private final class Read: Sendable {
        let head: HTTPResponse
        init(_ head: HTTPResponse) { self.head = head }
    }

    /// The maximum number of fields in a response.
    private static let maxFields = 5000

    /// - Parameters:
    ///   - unpacks: whether the body's codings are undone, all of them or none.
    ///   - acquired: how the request got its connection, if that is known.
    ///   - submitted: when it was submitted.
    /// - Throws: ``Malformed``.
    init(
        _ bytes: [UInt8],
        unpacks: Bool = false,
        acquired: Acquisition? = nil,
        submitted: MonotonicTime = MonotonicTime(nanoseconds: 0)
    ) throws(Malformed) {
        let text = bytes.span
        let line = text.line(from: 0)
        guard let status = Self.status(in: text.extracting(line.content)) else {
            throw Malformed(reason: "the status line is malformed")
        }
        var count = 0
        var encodings: [String] = []
        var start = line.next
        while start < text.count {
            let line = text.line(from: start)
            start = line.next
            if line.content.isEmpty { continue }
            guard Token.isFollowedByColon(in: text, line.content) else {
                throw Malformed(reason: "a header field is malformed")
            }
            count += 1
            if unpacks, let value = Self.contentEncoding(in: text.extracting(line.content)) { encodings.append(value) }
        }
        guard count <= Self.maxFields else {
            throw Malformed(reason: "the response has more than \(Self.maxFields) header fields")
        }
        self.status = status
        self.acquired = acquired
        self.submitted = submitted
        self.bytes = bytes
        fieldsStart = line.next
        fieldCount = count
        codings = try Self.codings(encodings, status: status)
    }

    var head: HTTPResponse {
        if let read = read.load() { return read.head }
        // Concurrent readers all get what the first one stored.
        return read.storeIfNil(Read(HTTPResponse(status: status, headerFields: fields()))).head
    }

    var connection: ResponseConnection? {
        acquired.map { $0.connection(since: submitted, httpVersion: httpVersion) }
    }

    /// The version in the status line, without the minor version that HTTP/2 has not.
    private var httpVersion: String? {
        let version = bytes.dropFirst(5).prefix { $0 != UInt8(ascii: " ") }
        return switch String(decoding: version, as: UTF8.self) {
        case "1.0": "1.0"
        case "1.1": "1.1"
        case "2", "2.0": "2"
        default: nil
        }
    }

    private func fields() -> HTTPFields {
        let bytes = bytes
        let text = bytes.span
        var fields = HTTPFields()
        fields.reserveCapacity(fieldCount)
        var start = fieldsStart
        while start < text.count {
            let line = text.line(from: start)
            start = line.next
            let content = text.extracting(line.content)
            guard let colon = content.firstIndex(of: UInt8(ascii: ":")),
                let name = FieldNames.name(content.extracting(0..<colon))
            else { continue }
            fields.append(Self.field(name, content.extracting(content.trimmed(from: colon + 1))))
        }
        if !codings.isEmpty {
            // These fields describe the body as transferred.
            fields[.contentEncoding] = nil
            fields[.contentLength] = nil
        }
        return fields
    }

    /// The value, if the line is a `Content-Encoding` field.
    private static func contentEncoding(in line: Span<UInt8>) -> String? {
        let name = "content-encoding".utf8.span
        guard line.count > name.count, line[name.count] == UInt8(ascii: ":") else { return nil }
        // 0x20 is the case bit of a letter, and is set in the hyphen.
        for index in name.indices where line[index] | 0x20 != name[index] { return nil }
        let value = line.extracting(line.trimmed(from: name.count + 1))
        return String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
    }

    private static func codings(
        _ encodings: [String],
        status: HTTPResponse.Status
    ) throws(Malformed) -> [ContentCoding] {
        // These have no body, whatever their fields say (RFC 9110, 15.3.5 and 15.4.5).
        guard !encodings.isEmpty, status.code != 204, status.code != 304 else { return [] }
        switch ContentCoding.named(in: encodings) {
        case .codings(let codings): return codings
        case .unknown: return []
        case .tooMany:
            throw Malformed(reason: "the body has more than \(ContentCoding.most) content codings")
        }
    }

    /// Stores the value as a string if it is UTF-8, which is cheaper, and otherwise as bytes.
    private static func field(_ name: HTTPField.Name, _ value: Span<UInt8>) -> HTTPField {
        if let text = value.text { return HTTPField(name: name, value: text) }
        return HTTPField(name: name, value: value.indices.map { value[$0] })
    }

    /// Parses `HTTP/1.1 200 OK`: the code follows the first space, and the rest is the reason phrase.
    private static func status(in line: Span<UInt8>) -> HTTPResponse.Status? {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let rest = line.extracting(line.trimmed(from: space))
        guard rest.count >= 3, rest.count == 3 || rest[3] == UInt8(ascii: " ") else { return nil }
        var code = 0
        for index in 0..<3 {
            guard rest[index] >= 0x30, rest[index] <= 0x39 else { return nil }
            code = code * 10 + Int(rest[index] - 0x30)
        }
        guard code >= 100 else { return nil }
        let phrase = rest.extracting(rest.trimmed(from: 3))
        if code == 200, phrase.count == 2, phrase[0] == UInt8(ascii: "O"), phrase[1] == UInt8(ascii: "K") { return .ok }
        let shown = phrase.indices.map { phrase[$0] }.filter { $0 >= 0x20 && $0 < 0x7f }
        // Removing characters may have left white space at either end.
        let text = shown[shown.span.trimmed(from: 0)]
        return HTTPResponse.Status(code: code, reasonPhrase: String(decoding: text, as: UTF8.self))
    }
}

/// The characters of a token, such as a field name (RFC 9110, 5.6.2).
private enum Token {
    static func isFollowedByColon(in text: Span<UInt8>, _ line: Range<Int>) -> Bool {
        var index = line.lowerBound
        while index < line.upperBound, contains(text[index]) { index += 1 }
        return index > line.lowerBound && index < line.upperBound && text[index] == UInt8(ascii: ":")
    }

    private static func contains(_ byte: UInt8) -> Bool {
        byte < 0x80 && (byte < 0x40 ? low : high) &>> UInt64(byte) & 1 == 1
    }

    /// Bit sets of the token characters below 0x40, and from 0x40 to 0x7f.
    private static var low: UInt64 { 0x03ff_6cfa_0000_0000 }
    private static var high: UInt64 { 0x57ff_ffff_c7ff_fffe }
}

/// Interned field names. Creating a name costs more than all other work on a field, so common ones are created
/// once.
private enum FieldNames {
    private typealias Entry = (spelling: [UInt8], name: HTTPField.Name)

    private static let byLength: [[Entry]] = {
        let usual = [
            "Accept-Ranges", "Age", "Alt-Svc", "Cache-Control", "Connection", "Content-Encoding", "Content-Length",
            "Content-Type", "Date", "ETag", "Expires", "Keep-Alive", "Last-Modified", "Location", "Server",
            "Set-Cookie", "Strict-Transport-Security", "Transfer-Encoding", "Vary", "Via", "X-Request-Id",
        ]
        var byLength: [[Entry]] = []
        for spelling in usual + usual.map({ $0.lowercased() }) {
            guard let name = HTTPField.Name(spelling) else { continue }
            while byLength.count <= spelling.utf8.count { byLength.append([]) }
            byLength[spelling.utf8.count].append((Array(spelling.utf8), name))
        }
        return byLength
    }()

    /// `nil` if the bytes are not a valid field name.
    static func name(_ bytes: Span<UInt8>) -> HTTPField.Name? {
        if bytes.count < byLength.count {
            for entry in byLength[bytes.count] where bytes.equals(entry.spelling.span) { return entry.name }
        }
        return bytes.text.flatMap { HTTPField.Name($0) }
    }
}

extension Span<UInt8> {
    /// The text; `nil` if it is not UTF-8.
    fileprivate var text: String? {
        guard let text = try? UTF8Span(validating: self) else { return nil }
        return String(copying: text)
    }

    /// The range from `start` on, without leading and trailing white space and control characters.
    fileprivate func trimmed(from start: Int) -> Range<Int> {
        var (start, end) = (start, count)
        while start < end, self[start] <= 0x20 { start += 1 }
        while start < end, self[end - 1] <= 0x20 { end -= 1 }
        return start..<end
    }

    fileprivate func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        // Sound: memchr reads only the bytes from `start` to the end of the span.
        withUnsafeBytes { bytes in
            guard start < bytes.count, let first = bytes.baseAddress,
                let found = memchr(first + start, Int32(byte), bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - first
        }
    }

    fileprivate func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// The line that begins at `start`: its content without the line end, and the start of the next line.
    fileprivate func line(from start: Int) -> (content: Range<Int>, next: Int) {
        let end = firstIndex(of: UInt8(ascii: "\n"), from: start) ?? count
        let hasReturn = end > start && self[end - 1] == UInt8(ascii: "\r")
        return (start..<(hasReturn ? end - 1 : end), end + 1)
    }
}
