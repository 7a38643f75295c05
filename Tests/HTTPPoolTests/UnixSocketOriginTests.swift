import HTTPPool
import Testing

@Suite("The origin of a socket in the file system")
struct UnixSocketOriginTests {
    static let good: [(scheme: String, authority: String, origin: String, path: String)] = [
        (
            "http+unix", "%2Fvar%2Frun%2Fdocker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock:80",
            "/var/run/docker.sock"
        ),
        ("HTTPS+unix", "%2fA%2fb", "https+unix://%2FA%2Fb:443", "/A/b"),
        ("http+unix", "%2F%61%2D%2E%5F%7E", "http+unix://%2Fa-._~:80", "/a-._~"),
        ("http+unix", "%2Fa:80", "http+unix://%2Fa:80", "/a"),
        ("https+unix", "%2Fa:443", "https+unix://%2Fa:443", "/a"),
        ("http+unix", "%2Fa%3A80", "http+unix://%2Fa%3A80:80", "/a:80"),
        ("http+unix", "%2Fa+b=c", "http+unix://%2Fa%2Bb%3Dc:80", "/a+b=c"),
        ("http+unix", "%2F%C3%A4%20%0A", "http+unix://%2F%C3%A4%20%0A:80", "/ä \n"),
        ("http+unix", "%2F%40", "http+unix://%2F%40:80", "/@"),
    ]

    @Test("is the path with percent escapes in one form, and the scheme's port", arguments: good)
    func reads(scheme: String, authority: String, origin: String, path: String) throws {
        let read = try Origin(scheme: scheme, authority: authority)
        #expect(read.description == origin)
        #expect(read.unixSocketPath == path)
        // Its own description is a way to write it.
        let host = String(origin.drop { $0 != "%" })
        #expect(try Origin(scheme: scheme, authority: host) == read)
        #expect(Origin(scheme: scheme, host: read.host, port: read.port) == read)
    }

    @Test("Every byte but zero may be in a path, escaped", arguments: 1...0x7f as ClosedRange<UInt8>)
    func everyByte(byte: UInt8) throws {
        let digits = Array("0123456789abcdef")
        let escape = "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 0xf)])"
        let origin = try Origin(scheme: "http+unix", authority: "%2Fx" + escape)
        #expect(origin.unixSocketPath.map { Array($0.utf8) } == Array("/x".utf8) + [byte])
        #expect(
            origin.host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "@") && $0 != UInt8(ascii: "/") }
        )
    }

    static let bad: [(authority: String, words: String)] = [
        ("secret", "the socket path must begin with /"), ("secret%2Fx", "the socket path must begin with /"),
        ("%2F", "the socket path must begin with /"), (":80", "the socket path must begin with /"),
        ("/secret", "the socket path must be percent-encoded"),
        ("%2Fsecret:81", "the socket path must be percent-encoded"),
        ("%2Fsecret%", "the socket path must be percent-encoded"),
        ("%2Fsecret%2", "the socket path must be percent-encoded"),
        ("%2Fsecret%2g", "the socket path must be percent-encoded"),
        ("%2Fsecret?x", "the socket path must be percent-encoded"),
        ("%2Fsecret%FF", "the socket path must be percent-encoded"),
        ("%2Fse cret", "the socket path must be percent-encoded"),
        ("%2Fsecretä", "the socket path must be percent-encoded"),
        ("%2Fsecret\r\n", "the socket path must be percent-encoded"),
        ("%2Fsecret%00", "the socket path contains a zero byte"),
        ("%2Fsecret" + String(repeating: "x", count: 101), "the socket path is longer than 107 bytes"),
        ("user:secret@%2Fx", "the URL must not contain a user name"), ("", "the request has no host"),
    ]

    @Test("is refused with words that do not repeat it", arguments: bad)
    func refuses(authority: String, words: String) throws {
        let error = try #require(throws: PoolError.self) { try Origin(scheme: "http+unix", authority: authority) }
        #expect(error.code == .invalidRequest)
        #expect(error.reason.hasPrefix(words))
        #expect(!error.description.contains("secret"))
    }

    @Test("The longest path fits, one byte more does not")
    func length() throws {
        let longest = "%2F" + String(repeating: "x", count: 106)
        #expect(try Origin(scheme: "http+unix", authority: longest).unixSocketPath?.utf8.count == 107)
        #expect(throws: PoolError.self) { try Origin(scheme: "http+unix", authority: longest + "x") }
    }

    @Test("An origin that is reached over TCP has no path")
    func tcp() throws { #expect(try Origin(scheme: "https", authority: "a").unixSocketPath == nil) }
}
