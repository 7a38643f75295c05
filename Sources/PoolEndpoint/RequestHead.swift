import NIOHTTP1

/// The head of a request (RFC 9112, 2 to 5): its syntax, not what it asks for.
struct RequestHead: Sendable {
    let method: String
    /// The request target as it was sent: visible characters of ASCII.
    let target: String
    let minorVersion: Int
    let headers: HTTPHeaders

    /// - Parameters:
    ///   - bytes: a complete head, with its empty line. A line ends with LF, and CR before it does not count.
    ///   - mostFields: the largest number of header fields.
    init(_ bytes: ArraySlice<UInt8>, mostFields: Int = 100) throws(HeadFault) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        }[...]
        let parts = (lines.popFirst() ?? []).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(\.isTokenByte) else {
            throw .bad("the request line is not a method, a target and a version")
        }
        minorVersion = try Self.minorVersion(parts[2])
        guard !parts[1].isEmpty, parts[1].allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .bad("the request target has characters that have to be percent-encoded")
        }
        method = String(decoding: parts[0], as: UTF8.self)
        target = String(decoding: parts[1], as: UTF8.self)

        var headers = HTTPHeaders()
        for (number, line) in lines.prefix(while: { !$0.isEmpty }).enumerated() {
            guard number < mostFields else { throw .headTooLarge }
            let field = try Self.field(line)
            headers.add(name: field.name, value: field.value)
        }
        self.headers = headers
    }

    private static func minorVersion(_ text: ArraySlice<UInt8>) throws(HeadFault) -> Int {
        let digits = Array(text.dropFirst(5))
        guard text.starts(with: "HTTP/".utf8), digits.count == 3, digits[0].isDigit, digits[1] == UInt8(ascii: "."),
            digits[2].isDigit
        else { throw .bad("the version is not one of HTTP") }
        guard digits[0] == UInt8(ascii: "1") else { throw .version }
        return Int(digits[2] - UInt8(ascii: "0"))
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(HeadFault) -> (name: String, value: String) {
        // Also refuses a folded line and a blank before the colon, which parsers read differently.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(\.isTokenByte)
        else { throw .bad("a header field has no valid name") }
        var value = line[line.index(after: colon)...]
        while let byte = value.first, byte.isBlank { value.removeFirst() }
        while let byte = value.last, byte.isBlank { value.removeLast() }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw .bad("a header field has a control character in its value")
        }
        return (String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    /// Whether a body follows the head, or may.
    var hasBody: Bool {
        get throws(HeadFault) {
            let lengths = Set(
                headers["Content-Length"].flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
                    .map { String($0).blanksTrimmed }
            )
            guard lengths.count <= 1, lengths.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isDigit) }) else {
                throw .bad("Content-Length is not one number")
            }
            if headers.contains(name: "Transfer-Encoding") {
                guard lengths.isEmpty else { throw .bad("a request cannot have Content-Length and Transfer-Encoding") }
                return true
            }
            return lengths.contains { $0.utf8.contains { $0 != UInt8(ascii: "0") } }
        }
    }

    /// Whether the peer wants to keep the connection (RFC 9112, 9.3).
    var isKeptAlive: Bool {
        let options = headers[canonicalForm: "Connection"].map { $0.lowercased() }
        if options.contains("close") { return false }
        return minorVersion > 0 || options.contains("keep-alive")
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
}

extension String {
    fileprivate var blanksTrimmed: String {
        var rest = self[...]
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
