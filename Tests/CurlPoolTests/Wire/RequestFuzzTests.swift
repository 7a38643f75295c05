import CLibcurl
import HTTPPool
import HTTPTypes
import LoopbackUpstream
import Testing

@testable import CurlPool

/// Random requests: whatever is accepted says on the wire what it says here, and whatever is refused stays secret.
@Suite("Random requests")
struct RequestFuzzTests {
    @Test("put no control character on the wire, and no secret into an error", arguments: 1...8 as ClosedRange<UInt64>)
    func wire(seed: UInt64) throws {
        var requests = RandomRequests(seed: seed)
        let defaults = [DefaultHeaders([:]), DefaultHeaders([.userAgent: "", .accept: "a", .acceptEncoding: "gzip"])]
        var accepted = 0
        for round in 0..<25_000 {
            let (request, body) = requests.next()
            do throws(PoolError) {
                let encoded = try EncodedRequest(request, body: body, defaults: defaults[round & 1])
                accepted += 1
                if let fault = Self.fault(in: encoded) ?? Self.fault(in: encoded, of: request) {
                    Issue.record("seed \(seed), round \(round): \(fault)")
                    return
                }
            } catch {
                if error.code != .invalidRequest || error.origin != nil
                    || error.description.contains(RandomRequests.secret)
                {
                    Issue.record("seed \(seed), round \(round): the error says \(error)")
                    return
                }
            }
        }
        #expect(accepted > 2_000, "seed \(seed)")
    }

    /// What of an accepted request must not go out.
    private static func fault(in encoded: EncodedRequest) -> String? {
        let target = encoded.address.withTarget { $0.map { Array(String(cString: $0).utf8) } ?? [] }
        if target.first != UInt8(ascii: "/") || target.contains(where: { $0 <= 0x20 || $0 >= 0x7f || $0 == 0x23 }) {
            return "the target \(target)"
        }
        if HTTPRequest.Method(encoded.method) == nil { return "the method \(encoded.method)" }
        for line in encoded.headers.lines {
            if line.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }) { return "the line \(line)" }
            let end = line.firstIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ";") } ?? line.endIndex
            let name = String(decoding: line[..<end], as: UTF8.self)
            if HTTPField.Name(name) == nil || end == line.endIndex { return "the line \(line)" }
            let isEmptyBody = line.elementsEqual("Content-Length: 0".utf8)
            if !isEmptyBody, ["content-length", "transfer-encoding"].contains(name.lowercased()) {
                return "the line \(line)"
            }
            let value = line[(end + 1)...]
            let isRemoval = line[end] == UInt8(ascii: ":") && value.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            if isRemoval && !["Expect", "Content-Type"].contains(name) {
                return "the line \(line) asks libcurl to leave a field out"
            }
        }
        if let path = encoded.unixSocketPath {
            if path.utf8.first != UInt8(ascii: "/") || path.utf8.count > 107 || path.utf8.contains(0) {
                return "a path"
            }
        }
        if encoded.origin.description.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "@") }) {
            return "the origin \(encoded.origin)"
        }
        return nil
    }

    /// Where libcurl would go must be where the pool believes it goes.
    private static func fault(in encoded: EncodedRequest, of request: HTTPRequest) -> String? {
        guard let url = curl_url() else { return "no memory" }
        defer { curl_url_cleanup(url) }
        // What libcurl cannot read fails later, with its own error.
        guard encoded.address.withSite({ curl_url_set(url, CURLUPART_URL, $0, 0) }) == CURLUE_OK else { return nil }
        func part(_ part: CURLUPart) -> String? {
            var text: UnsafeMutablePointer<CChar>?
            guard curl_url_get(url, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text else { return nil }
            defer { curl_free(text) }
            return String(cString: text)
        }
        if part(CURLUPART_PATH) != "/" || part(CURLUPART_QUERY) != nil { return "libcurl finds a path" }
        if part(CURLUPART_USER) != nil || part(CURLUPART_PASSWORD) != nil { return "libcurl finds userinfo" }
        let isSecure = encoded.origin.scheme.hasPrefix("https")
        if part(CURLUPART_SCHEME) != (isSecure ? "https" : "http") { return "libcurl finds another scheme" }
        guard encoded.unixSocketPath == nil else { return part(CURLUPART_HOST) == "localhost" ? nil : "another host" }
        if part(CURLUPART_PORT) != String(encoded.origin.port) { return "libcurl finds another port" }
        // libcurl writes numeric addresses in a form of its own.
        let host = encoded.origin.host
        if host.hasPrefix("[") || host.utf8.first.map({ $0 >= 0x30 && $0 <= 0x39 }) == true { return nil }
        return part(CURLUPART_HOST)?.lowercased() == host ? nil : "libcurl finds another host"
    }
}

/// Requests of pieces that mean something, of random bytes, and of both.
private struct RandomRequests {
    static let secret = "sEcReT"
    private var random: SplitMix64
    private let names: [HTTPField.Name]
    private let pseudo: [HTTPField.Name]

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        names =
            [.accept, .acceptEncoding, .authorization, .contentLength, .cookie, .expect, .userAgent, .transferEncoding]
            + ["Host", "X-A", "x-a", "!#$%&'*+-.^_`|~"].compactMap { HTTPField.Name($0) }
        pseudo = [":scheme", ":authority", ":path"].compactMap { HTTPField.Name(parsed: $0) }
    }

    private static let schemes = ["http", "https", "HTTP", "http+unix", "https+unix", "ftp"]
    private static let hosts = [
        "a.example", "A.Example:8080", "127.0.0.1:80", "[::1]", "[::1]:443", "%2Frun%2Fx", "%2F%20%0a", "a",
        "bücher.example",
    ]
    private static let paths = ["/", "", "/a/b?c=d", "/%0d%0a", "*", "//x", "/?"]
    private static let pieces = [
        "/", "?", "#", "@", ":", "[", "]", "%", "%2F", "%00", "\\", ".", "..", " ", "\t", "\r\n", "\n", "\0", "\u{1}",
        "\u{7f}",
        "80", "65536", "a", "Z", "-", "_", "ä", "\u{85}", "\u{2028}", "\u{ff0f}", "\u{200d}", "localhost",
        "u:\(secret)@",
        "q=\(secret)", "HTTP/1.1", "Host: b", "://", ";", "&", "=", "+", "{", "}", "|", "^", "\"", "<", ">",
    ]
    private static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "M!", "get",
    ]

    mutating func next() -> (HTTPRequest, HTTPRequestBody) {
        var fields = HTTPFields()
        for _ in 0..<(chance(1, of: 2) ? 0 : Int.random(in: 1...4, using: &random)) {
            guard let name = names.randomElement(using: &random) else { continue }
            let value = chance(1, of: 4) ? ["0", "3", "", " ", "gzip"].randomElement(using: &random) ?? "" : nil
            fields.append(HTTPField(name: name, lenientValue: value.map { Array($0.utf8) } ?? bytes()))
        }
        let method = Self.methods.randomElement(using: &random).flatMap { HTTPRequest.Method($0) } ?? .get
        var request = HTTPRequest(method: method, scheme: nil, authority: nil, path: nil, headerFields: fields)
        if !chance(1, of: 20) { request.pseudoHeaderFields.scheme = field(0, Self.schemes) }
        if !chance(1, of: 20) { request.pseudoHeaderFields.authority = field(1, Self.hosts) }
        if !chance(1, of: 20) { request.pseudoHeaderFields.path = field(2, Self.paths) }
        return (request, body())
    }

    private mutating func chance(_ count: Int, of all: Int) -> Bool { Int.random(in: 0..<all, using: &random) < count }

    /// Mostly a usual text, often with something in it that does not belong there. Written leniently, which leaves
    /// control characters in it.
    private mutating func field(_ index: Int, _ usual: [String]) -> HTTPField {
        var text = Array((usual.randomElement(using: &random) ?? "").utf8)
        if chance(1, of: 8) {
            text.insert(contentsOf: bytes(), at: Int.random(in: 0...text.count, using: &random))
        } else if chance(1, of: 20) {
            text = bytes()
        }
        return HTTPField(name: pseudo[index], lenientValue: text)
    }

    private mutating func bytes() -> [UInt8] {
        let count = Int.random(in: 0...6, using: &random)
        if chance(1, of: 4) { return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }
        return (0..<count).flatMap { _ in Array((Self.pieces.randomElement(using: &random) ?? "").utf8) }
    }

    private mutating func body() -> HTTPRequestBody {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: "abc"
        case 1: .bytes([])
        case 2: .stream(AsyncStream<[UInt8]> { $0.finish() }, length: chance(1, of: 2) ? 3 : nil)
        case 3: .replayableStream(length: 3) { AsyncStream<[UInt8]> { $0.finish() } }
        default: .none
        }
    }
}
