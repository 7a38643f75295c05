import HTTPPool
import HTTPTypes
import Testing

@Suite("An Authorization field")
struct AuthorizationTests {
    @Test(
        "Base64 of RFC 4648, 10, and the two characters that are neither letters nor digits",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"), ("~~~???", "fn5+Pz8/"),
        ]
    )
    func base64(text: String, expected: String) { #expect(Base64.encode(Array(text.utf8)) == expected) }

    @Test("Base64 of all bytes")
    func allBytes() {
        let text = Base64.encode(Array(0...255))
        #expect(text.hasPrefix("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"))
        #expect(text.hasSuffix("8PHy8/T19vf4+fr7/P3+/w=="))
        #expect(text.utf8.count == 344)
    }

    @Test(
        "Basic, with the examples of RFC 7617",
        arguments: [
            ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test", "123£", "Basic dGVzdDoxMjPCow=="),
            ("", "", "Basic Og=="), ("user", "a:b", "Basic dXNlcjphOmI="),
        ]
    )
    func basic(user: String, password: String, expected: String) throws {
        let field = try HTTPField.basic(user: user, password: password)
        #expect(field.name == .authorization)
        #expect(field.value == expected)
        #expect(field.indexingStrategy == .disallow)
    }

    @Test(
        "Basic refuses what would be read otherwise, and repeats nothing",
        arguments: [
            ("se:cret", "x"), ("secret\n", "x"), ("x", "secret\r\n"), ("secret\0", "x"), ("x", "secret\u{7f}"),
            ("secret\u{85}", "x"), ("x", "secret\t"),
        ]
    )
    func basicRefused(user: String, password: String) throws {
        let error = try #require(throws: PoolError.self) { try HTTPField.basic(user: user, password: password) }
        #expect(error.code == .invalidRequest)
        #expect(!"\(error)".contains("cret"))
    }

    @Test("Bearer", arguments: ["mF_9.B5f-4.1JqM", "a", "a==", "AZaz09-._~+/="])
    func bearer(token: String) throws {
        let field = try HTTPField.bearer(token)
        #expect(field.name == .authorization)
        #expect(field.value == "Bearer \(token)")
        #expect(field.indexingStrategy == .disallow)
    }

    @Test(
        "Bearer refuses what is no token, and repeats nothing",
        arguments: ["", "=", "==", "secret x", "secret=x", "secret\r\nX: y", "secret\u{e9}", "secret,", #""secret""#]
    )
    func bearerRefused(token: String) throws {
        let error = try #require(throws: PoolError.self) { try HTTPField.bearer(token) }
        #expect(error.code == .invalidRequest)
        #expect(!"\(error)".contains("secret"))
    }
}
