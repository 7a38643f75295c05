import HTTPPool
import HTTPTypes

/// An answer as it came: the header block as bytes, to be read on the caller's side.
struct RawResponse: Sendable {
    /// The status line and the fields of the last header block; those of 1xx answers are gone.
    var head: [UInt8] = []
    var body: [UInt8] = []
    /// Whether the header block is complete. What comes as a header later is a trailer.
    var headIsComplete = false

    /// Reads the header block.
    func parsed(from origin: Origin) throws(PoolError) -> PooledResponse {
        var rest = head[...]
        guard let status = Self.status(in: Self.nextLine(of: &rest)) else {
            throw .malformed("the status line could not be read", from: origin)
        }
        var fields = HTTPFields()
        while !rest.isEmpty {
            let line = Self.nextLine(of: &rest)
            if line.isEmpty { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), let name = FieldNames.name(line[..<colon]) else {
                throw .malformed("a header field could not be read", from: origin)
            }
            fields.append(HTTPField(name: name, value: Self.trimmed(line[(colon + 1)...])))
        }
        return PooledResponse(head: HTTPResponse(status: status, headerFields: fields), body: ResponseBody(bytes: body))
    }

    /// Takes the first line off, without its end.
    private static func nextLine(of rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
        let line = rest[..<end]
        rest = rest[min(end + 1, rest.endIndex)...]
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }

    /// `HTTP/1.1 200 OK`: the code follows the first space, the rest is the phrase.
    private static func status(in line: ArraySlice<UInt8>) -> HTTPResponse.Status? {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let rest = trimmed(line[space...])
        let digits = rest.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        let code = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        let phrase = rest.dropFirst(3)
        guard code >= 100, phrase.first ?? 0x20 == 0x20 else { return nil }
        if code == 200, phrase.elementsEqual(" OK".utf8) { return .ok }
        let shown = trimmed(phrase).filter { $0 >= 0x20 && $0 < 0x7f }
        return HTTPResponse.Status(code: code, reasonPhrase: String(decoding: shown, as: UTF8.self))
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first <= 0x20 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last <= 0x20 { bytes = bytes.dropLast() }
        return bytes
    }
}

/// The names of header fields. Making one costs more than everything else about a field, so the usual ones are made once.
private enum FieldNames {
    private static let usual: [[(spelling: [UInt8], name: HTTPField.Name)]] = {
        let names = [
            "Accept-Ranges", "Age", "Alt-Svc", "Cache-Control", "Connection", "Content-Encoding", "Content-Length",
            "Content-Type", "Date", "ETag", "Expires", "Keep-Alive", "Last-Modified", "Location", "Server",
            "Set-Cookie",
            "Strict-Transport-Security", "Transfer-Encoding", "Vary", "Via", "X-Request-Id",
        ]
        var byLength: [[(spelling: [UInt8], name: HTTPField.Name)]] = []
        for spelling in names + names.map({ $0.lowercased() }) {
            guard let name = HTTPField.Name(spelling) else { continue }
            while byLength.count <= spelling.utf8.count { byLength.append([]) }
            byLength[spelling.utf8.count].append((Array(spelling.utf8), name))
        }
        return byLength
    }()

    /// `nil` if the bytes are no name of a field.
    static func name(_ bytes: ArraySlice<UInt8>) -> HTTPField.Name? {
        if bytes.count < usual.count {
            for entry in usual[bytes.count] where entry.spelling.elementsEqual(bytes) { return entry.name }
        }
        return HTTPField.Name(String(decoding: bytes, as: UTF8.self))
    }
}

extension PoolError {
    fileprivate static func malformed(_ reason: String, from origin: Origin) -> PoolError {
        PoolError(.invalidResponse, reason, origin: origin, phase: .exchange)
    }
}
