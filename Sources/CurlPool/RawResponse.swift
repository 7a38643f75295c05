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
        var lines = head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)[...]
        guard let statusLine = lines.popFirst(), let status = Self.status(in: statusLine) else {
            throw .malformed("the status line could not be read", from: origin)
        }
        var fields = HTTPFields()
        fields.reserveCapacity(lines.count)
        for line in lines {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard !line.isEmpty else { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
                let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
            else {
                throw .malformed("a header field could not be read", from: origin)
            }
            fields.append(HTTPField(name: name, value: Self.trimmed(line[(colon + 1)...])))
        }
        return PooledResponse(head: HTTPResponse(status: status, headerFields: fields), body: ResponseBody(bytes: body))
    }

    /// `HTTP/1.1 200 OK`: the code is the second word, the rest is the phrase.
    private static func status(in line: ArraySlice<UInt8>) -> HTTPResponse.Status? {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: true)
        guard words.count >= 2 else { return nil }
        let digits = trimmed(words[1])
        guard digits.count == 3, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        let code = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard code >= 100 else { return nil }
        let phrase = words.count > 2 ? trimmed(words[2]).filter { $0 >= 0x20 && $0 < 0x7f } : []
        return HTTPResponse.Status(code: code, reasonPhrase: String(decoding: phrase, as: UTF8.self))
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first <= 0x20 { bytes.removeFirst() }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        return bytes
    }
}

extension PoolError {
    fileprivate static func malformed(_ reason: String, from origin: Origin) -> PoolError {
        PoolError(.invalidResponse, reason, origin: origin, phase: .exchange)
    }
}
