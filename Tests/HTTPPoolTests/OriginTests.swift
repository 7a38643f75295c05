import HTTPPool
import Testing

@Suite("An origin")
struct OriginTests {
    static let good: [(scheme: String, authority: String, origin: String)] = [
        ("http", "example.com", "http://example.com:80"),
        ("https", "example.com", "https://example.com:443"),
        ("HTTPS", "Example.COM", "https://example.com:443"),
        ("http", "EXAMPLE.com:8080", "http://example.com:8080"),
        ("http", "example.com:443", "http://example.com:443"),
        ("http", "example.com:1", "http://example.com:1"),
        ("http", "example.com:65535", "http://example.com:65535"),
        ("http", "example.com:00080", "http://example.com:80"),
        ("http", "127.0.0.1:9", "http://127.0.0.1:9"),
        ("http", "a_b-c.d.", "http://a_b-c.d.:80"),
        ("http", "localhost", "http://localhost:80"),
        ("http", "[::1]", "http://[::1]:80"),
        ("https", "[2001:DB8::A]:8443", "https://[2001:db8::a]:8443"),
        ("http", "[::ffff:127.0.0.1]:80", "http://[::ffff:127.0.0.1]:80"),
        // RFC 5891: one form for all spellings of a name, and the one that is safe to show.
        ("http", "bücher.example", "http://xn--bcher-kva.example:80"),
        ("http", "BU\u{308}CHER.example:81", "http://xn--bcher-kva.example:81"),
        ("http", "XN--bcher-KVA.example", "http://xn--bcher-kva.example:80"),
        ("http", "faß.example", "http://xn--fa-hia.example:80"),
        ("http", "例え。テスト", "http://xn--r8jz45g.xn--zckzah:80"),
        ("http", "☕.example", "http://xn--53h.example:80"),
    ]

    @Test("is scheme, host in lower case and port, the port always written", arguments: good)
    func reads(scheme: String, authority: String, origin: String) throws {
        #expect(try Origin(scheme: scheme, authority: authority).description == origin)
    }

    @Test("is the same for two ways to write it")
    func equality() throws {
        let origin = Origin(scheme: "HTTP", host: "Example.COM", port: 80)
        #expect(try Origin(scheme: "http", authority: "example.com") == origin)
        #expect(try Origin(scheme: "http", authority: "EXAMPLE.com:80") == origin)
        #expect(try Origin(scheme: "https", authority: "example.com:80") != origin)
        #expect(try Origin(scheme: "http", authority: "example.com:81") != origin)
        #expect(try Origin(scheme: "http", authority: "example.org") != origin)
    }

    static let bad: [(scheme: String?, authority: String?, words: String)] = [
        (nil, "secret", "the scheme must be http or https"),
        ("", "secret", "the scheme must be http or https"),
        ("ftp", "secret", "the scheme must be http or https"),
        ("file", "secret", "the scheme must be http or https"),
        ("http ", "secret", "the scheme must be http or https"),
        ("http", nil, "the request has no host"),
        ("http", "", "the request has no host"),
        ("http", ":80", "the request has no host"),
        ("http", ":", "the request has no host"),
        ("http", "[]", "the request has no host"),
        ("http", "[]:80", "the request has no host"),
        ("http", "user:secret@host", "the URL must not contain a user name"),
        ("http", "secret@host:80", "the URL must not contain a user name"),
        ("http", "@secret", "the URL must not contain a user name"),
        ("http", "[secret@::1]", "the URL must not contain a user name"),
        ("http", "secret/path", "the host contains an invalid character"),
        ("http", "secret?query", "the host contains an invalid character"),
        ("http", "secret#part", "the host contains an invalid character"),
        ("http", "se cret", "the host contains an invalid character"),
        // A full-width slash, at sign and question mark would become ASCII's.
        ("http", "secret\u{ff0f}path", "the host is not a valid"),
        ("http", "secret\u{ff20}host", "the host is not a valid"),
        ("http", "secret\u{ff1f}", "the host is not a valid"),
        ("http", "\u{fffd}secret", "the host is not a valid"),
        ("http", "\u{ad}", "the host is not a valid"),
        ("http", "secret\r\nx", "the host contains an invalid character"),
        ("http", "secret\0", "the host contains an invalid character"),
        ("http", "secret%00", "the host contains an invalid character"),
        ("http", "secret\\", "the host contains an invalid character"),
        ("http", "secret]", "the host contains an invalid character"),
        ("http", "secret:", "the port must be a number"),
        ("http", "secret:0", "the port must be a number"),
        ("http", "secret:65536", "the port must be a number"),
        ("http", "secret:-1", "the port must be a number"),
        ("http", "secret:+80", "the port must be a number"),
        ("http", "secret:80 ", "the port must be a number"),
        ("http", "secret:80:80", "the port must be a number"),
        ("http", "secret:٨٠", "the port must be a number"),
        ("http", "secret:99999999999999999999", "the port must be a number"),
        ("http", "::1", "the request has no host"),
        ("http", "[::1", "the IPv6 address has no closing bracket"),
        ("http", "[::1]secret", "the host contains an invalid character"),
        ("http", "[::1]:", "the port must be a number"),
        ("http", "[::1%25secret]", "the IPv6 address contains an invalid character"),
        ("http", "[secret]", "the IPv6 address contains an invalid character"),
    ]

    @Test("is refused with words that do not repeat what was given", arguments: bad)
    func refuses(scheme: String?, authority: String?, words: String) throws {
        let error = try #require(throws: PoolError.self) { try Origin(scheme: scheme, authority: authority) }
        #expect(error.code == .invalidRequest)
        #expect(error.phase == .submit)
        #expect(error.origin == nil)
        #expect(error.reason.hasPrefix(words))
        #expect(!error.description.contains("secret"))
    }

    /// Pieces that mean something in an authority, and some that Swift's strings treat with care.
    private static let pieces = [
        "[", "]", ":", "@", "/", "?", "#", "%", ".", "-", "_", " ", "\r\n", "\0", "80", "443", "65536", "::1", "a", "Z",
        "example", "é", "e\u{301}", "\u{301}", "İ", "ẞ", "\u{212a}", "😀", "\u{200d}", "\u{feff}", "\u{fffd}",
    ]

    @Test(
        "of random text never crashes, never tells the text, and reads its own description",
        arguments: 0..<8 as Range<UInt64>
    )
    func randomText(seed: UInt64) throws {
        var random = RandomBits(state: seed)
        var texts: Set<String> = []
        var accepted = 0
        for round in 0..<4000 {
            let count = Int.random(in: 0...12, using: &random)
            let authority =
                round.isMultiple(of: 2)
                ? (0..<count).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
                : String(decoding: (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }, as: UTF8.self)
            do throws(PoolError) {
                let origin = try Origin(scheme: "http", authority: authority)
                accepted += 1
                // Bytes, for a combining mark may follow the slashes.
                let rest = String(decoding: origin.description.utf8.dropFirst("http://".utf8.count), as: UTF8.self)
                let again = try Origin(scheme: "http", authority: rest)
                #expect(
                    Array(again.description.utf8) == Array(origin.description.utf8),
                    "\(authority.debugDescription)"
                )
                #expect(again == origin && origin.port > 0 && !origin.host.isEmpty)
                #expect(!origin.description.utf8.contains { [0, 0x0a, 0x0d, 0x20, 0x40].contains($0) })
            } catch {
                texts.insert(error.description)
                #expect(error.code == .invalidRequest)
            }
        }
        #expect(accepted > 100)
        // The words depend on the kind of fault alone.
        #expect(texts.count <= 7)
    }
}

/// Random numbers that are the same for the same seed.
private struct RandomBits: RandomNumberGenerator {
    var state: UInt64

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
