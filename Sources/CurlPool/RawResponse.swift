import HTTPPool
import HTTPTypes

/// An answer as it came: the header block as bytes, to be read on the caller's side.
struct RawResponse: Sendable {
    /// The status line and the fields of the last header block; those of 1xx answers are gone.
    private(set) var head: [UInt8] = []
    var body: [UInt8] = []
    /// Where the rest of the body comes from, of an answer that was handed over before its end.
    var stream: ResponseStream?
    /// Whether the body was unpacked on its way.
    var isUnpacked = false
    /// Whether the header block is complete. What comes as a header later is a trailer.
    private(set) var headIsComplete = false
    /// Whether the header block is that of a 1xx answer, after which another comes.
    private var isInterim = false

    /// The most bytes of header fields that an answer may have.
    private static let maxHeadBytes = 256 << 10

    /// Takes a line of the header block, its end included.
    ///
    /// - Returns: whether the block is not too large.
    mutating func take(header line: UnsafeBufferPointer<UInt8>) -> Bool {
        let isStatusLine = line.count > 5 && line[0] == UInt8(ascii: "H") && line.starts(with: "HTTP/".utf8)
        if isStatusLine {
            // The block of a 1xx answer gives way to the next.
            head.removeAll(keepingCapacity: true)
            head.reserveCapacity(512)
            headIsComplete = false
            isInterim =
                line.firstIndex(of: UInt8(ascii: " ")).map { line[$0...].dropFirst().first == UInt8(ascii: "1") }
                ?? false
        } else if headIsComplete {
            // A trailer after the body is not kept.
            return true
        }
        guard head.count + line.count <= Self.maxHeadBytes else { return false }
        head.append(contentsOf: line)
        if line.count <= 2, !isInterim { headIsComplete = true }
        return true
    }

    /// Reads the header block.
    func parsed(from origin: Origin) throws(PoolError) -> HTTPResponse {
        let bytes = head.span
        var line = bytes.line(from: 0)
        guard let status = Self.status(in: bytes.extracting(line.content)) else {
            throw .malformed("the status line could not be read", from: origin)
        }
        var fields = HTTPFields()
        fields.reserveCapacity(12)
        while line.next < bytes.count {
            line = bytes.line(from: line.next)
            if line.content.isEmpty { continue }
            let text = bytes.extracting(line.content)
            guard let colon = text.firstIndex(of: UInt8(ascii: ":")),
                let name = FieldNames.name(text.extracting(0..<colon))
            else {
                throw .malformed("a header field could not be read", from: origin)
            }
            fields.append(Self.field(name, text.extracting(text.trimmed(from: colon + 1))))
        }
        if isUnpacked, fields[.contentEncoding] != nil {
            // They speak of the body as it came over the wire.
            fields[.contentEncoding] = nil
            fields[.contentLength] = nil
        }
        return HTTPResponse(status: status, headerFields: fields)
    }

    /// A value is text where it can be, which is the cheaper form, and bytes where it is not UTF-8.
    private static func field(_ name: HTTPField.Name, _ value: Span<UInt8>) -> HTTPField {
        if let text = value.text { return HTTPField(name: name, value: text) }
        return HTTPField(name: name, value: value.indices.map { value[$0] })
    }

    /// `HTTP/1.1 200 OK`: the code follows the first space, the rest is the phrase.
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
        return HTTPResponse.Status(code: code, reasonPhrase: String(decoding: shown, as: UTF8.self))
    }
}

/// The names of header fields. Making one costs more than everything else about a field, so the usual ones are made once.
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

    /// `nil` if the bytes are no name of a field.
    static func name(_ bytes: Span<UInt8>) -> HTTPField.Name? {
        if bytes.count < byLength.count {
            for entry in byLength[bytes.count] where bytes.equals(entry.spelling.span) { return entry.name }
        }
        return bytes.text.flatMap { HTTPField.Name($0) }
    }
}

extension Span<UInt8> {
    /// The text, if it is UTF-8.
    fileprivate var text: String? {
        guard let text = try? UTF8Span(validating: self) else { return nil }
        return String(copying: text)
    }

    /// What is between white space and control characters at either end of the bytes from `start` on.
    fileprivate func trimmed(from start: Int) -> Range<Int> {
        var (start, end) = (start, count)
        while start < end, self[start] <= 0x20 { start += 1 }
        while start < end, self[end - 1] <= 0x20 { end -= 1 }
        return start..<end
    }

    fileprivate func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        var index = start
        while index < count {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    fileprivate func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// A line that begins at `start`: its content, and where the next one begins.
    fileprivate func line(from start: Int) -> (content: Range<Int>, next: Int) {
        let end = firstIndex(of: UInt8(ascii: "\n"), from: start) ?? count
        let hasReturn = end > start && self[end - 1] == UInt8(ascii: "\r")
        return (start..<(hasReturn ? end - 1 : end), end + 1)
    }
}

extension PoolError {
    fileprivate static func malformed(_ reason: String, from origin: Origin) -> PoolError {
        PoolError(.invalidResponse, reason, origin: origin, phase: .exchange)
    }
}
