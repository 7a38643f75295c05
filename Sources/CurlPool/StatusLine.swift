/// A parsed status line: `HTTP/1.1 200 OK`, `HTTP/2 200`.
struct StatusLine {
    /// Whether the version is HTTP/1.
    let isHTTP1: Bool
    /// Whether the version is HTTP/1.0.
    let isHTTP10: Bool
    /// The status code: up to three leading digits.
    let code: Int
    /// Whether libcurl may read another code: some versions read three digits of a longer one, and some accept a tab in
    /// place of the space before it.
    let hasDoubtfulCode: Bool

    /// Whether this is an interim response: another one follows for the same request.
    var isInterim: Bool { code / 100 == 1 }
    var hasBody: Bool { code != 204 && code != 304 }

    /// The first byte of every status line.
    static let first = UInt8(ascii: "H")

    /// `nil` if the line is not a status line: no field line begins with `HTTP/`.
    init?(_ line: UnsafeBufferPointer<UInt8>) {
        guard line.count > 5, line[0] == Self.first, line[1] == UInt8(ascii: "T"), line[2] == UInt8(ascii: "T"),
            line[3] == UInt8(ascii: "P"), line[4] == UInt8(ascii: "/")
        else { return nil }
        isHTTP1 = line.count > 6 && line[5] == UInt8(ascii: "1") && line[6] == UInt8(ascii: ".")
        isHTTP10 = isHTTP1 && line.count > 7 && line[7] == UInt8(ascii: "0")
        var index = 5
        var hasControl = false
        while index < line.count, line[index] != UInt8(ascii: " ") {
            if line[index] < UInt8(ascii: " ") { hasControl = true }
            index += 1
        }
        while index < line.count, line[index] == UInt8(ascii: " ") { index += 1 }
        if index < line.count, line[index] < UInt8(ascii: " ") { hasControl = true }
        var (code, digits) = (0, 0)
        while index < line.count, digits < 3, Self.isDigit(line[index]) {
            code = 10 * code + Int(line[index] - UInt8(ascii: "0"))
            digits += 1
            index += 1
        }
        self.code = code
        hasDoubtfulCode = hasControl || digits == 3 && index < line.count && Self.isDigit(line[index])
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
