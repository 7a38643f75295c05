import HTTPPool
import Testing

@Suite("A reference in a Location field")
struct URIReferenceTests {
    private static let base = URIReference(scheme: "http", authority: "a", target: "/b/c/d;p?q")

    /// RFC 3986, 5.4.1 and 5.4.2, without fragments: those are never sent.
    private static let examples: [(String, String)] = [
        ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"), ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"), ("g#s", "http://a/b/c/g"), ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"), ("g;x", "http://a/b/c/g;x"), ("g;x?y#s", "http://a/b/c/g;x?y"),
        ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"), ("./", "http://a/b/c/"), ("..", "http://a/b/"),
        ("../", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"), ("../../", "http://a/"),
        ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"), ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."), (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."), ("..g", "http://a/b/c/..g"), ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"), ("g/./h", "http://a/b/c/g/h"), ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"), ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"), ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("g#s/./x", "http://a/b/c/g"), ("g#s/../x", "http://a/b/c/g"), ("http:g", "http:g"),
        // Not in the RFC's list.
        ("/a//../b", "http://a/a/b"), ("//g?y/x", "http://g?y/x"), ("HTTP://B:1/x", "HTTP://B:1/x"),
        ("?", "http://a/b/c/d;p?"),
        ("/é ü", "http://a/%C3%A9%20%C3%BC"), ("/%c3%zz", "http://a/%c3%zz"), ("g?é", "http://a/b/c/g?%C3%A9"),
        ("/x:y", "http://a/x:y"), ("?x:y", "http://a/b/c/d;p?x:y"), (#"/\g"#, #"http://a/\g"#),
    ]

    @Test("means what RFC 3986 says", arguments: examples)
    func resolution(reference: String, expected: String) throws {
        let resolved = try #require(URIReference(Array(reference.utf8))).resolved(against: Self.base)
        var text = "\(resolved.scheme ?? ""):"
        if let authority = resolved.authority { text += "//\(authority)" }
        text += resolved.path
        if let query = resolved.query { text += "?\(query)" }
        #expect(text == expected)
    }

    @Test(
        "is none where its scheme is none or a control character is in it",
        arguments: [":", ":x", "1a:b", "a b:c", "é:x", "/\n", "/\r\nX: y", "/\0", "\u{7f}", "/a\tb"]
    )
    func unreadable(text: String) { #expect(URIReference(Array(text.utf8)) == nil) }

    @Test("is none where its host is not UTF-8; a path may hold any bytes above ASCII")
    func bytes() throws {
        #expect(URIReference(Array("//a".utf8) + [0xff]) == nil)
        #expect(try #require(URIReference(Array("/a".utf8) + [0xff])).target == "/a%FF")
    }

    @Test("A base whose path is empty has a root all the same")
    func emptyBase() throws {
        let base = URIReference(scheme: "http", authority: "a", target: "")
        let found = ["g", "?y", "", ".."].map { URIReference(Array($0.utf8))?.resolved(against: base).target }
        #expect(found == ["/g", "/?y", "/", "/"])
    }
}
