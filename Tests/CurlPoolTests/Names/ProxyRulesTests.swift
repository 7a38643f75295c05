import HTTPPool
import Testing

@testable import CurlPool

@Suite("The way of a request")
struct ProxyRulesTests {
    private func rules(_ variables: [String: String]) -> ProxyRules { ProxyRules(.environment) { variables[$0] } }

    /// A proxy as libcurl reads it, or `direct`.
    private func way(_ rules: ProxyRules, _ scheme: String, _ authority: String) throws -> String {
        switch rules.route(to: try Origin(scheme: scheme, authority: authority)) {
        case .direct: "direct"
        case .proxy(let proxy): proxy.address.value
        }
    }

    private func peer(_ rules: ProxyRules, _ scheme: String, _ authority: String) throws -> String? {
        rules.peer(of: try Origin(scheme: scheme, authority: authority)).map { "\($0.name):\($0.port)" }
    }

    @Test("is straight without a proxy, and what is looked up is the origin's name")
    func direct() throws {
        let rules = ProxyRules(.direct) { _ in "http://p:1" }
        #expect(rules.only == .direct)
        #expect(try way(rules, "https", "a.test") == "direct")
        #expect(try peer(rules, "https", "A.test") == "a.test:443")
        for host in ["127.0.0.1", "127.1", "[::1]", "localhost", "a.localhost:1"] {
            #expect(try peer(rules, "http", host) == nil)
        }
        #expect(try peer(rules, "http+unix", "%2Frun%2Fa") == nil)
    }

    @Test("is that of the scheme's variable, then of all_proxy, in lower case before upper case, and never HTTP_PROXY")
    func variables() throws {
        let all = ["all_proxy": "http://all:1", "ALL_PROXY": "http://ALL:1"]
        let table: [([String: String], plain: String, secure: String)] = [
            ([:], "direct", "direct"),
            (["HTTP_PROXY": "http://a:1"], "direct", "direct"),
            (["http_proxy": "http://a:1"], "http://a:1", "direct"),
            (["https_proxy": "http://b:1", "HTTPS_PROXY": "http://c:1"], "direct", "http://b:1"),
            (["HTTPS_PROXY": "http://c:1"], "direct", "http://c:1"),
            (["http_proxy": "", "https_proxy": "", "HTTPS_PROXY": "http://c:1"], "direct", "http://c:1"),
            (all, "http://all:1", "http://all:1"),
            (["ALL_PROXY": "http://ALL:1"], "http://ALL:1", "http://ALL:1"),
            (all.merging(["http_proxy": "http://a:1"]) { $1 }, "http://a:1", "http://all:1"),
        ]
        for (variables, plain, secure) in table {
            #expect(try way(rules(variables), "http", "x.test") == plain, "\(variables)")
            #expect(try way(rules(variables), "https", "x.test") == secure, "\(variables)")
        }
        #expect(rules([:]).only == .direct)
        #expect(rules(["http_proxy": "http://a:1"]).only == nil)
        #expect(try way(rules(all), "http+unix", "%2Frun%2Fa") == "direct")
    }

    @Test(
        "leads to the proxy's name and port as libcurl reads them",
        arguments: [
            ("http://proxy.test:3128", "proxy.test:3128"), ("proxy.test:3128", "proxy.test:3128"),
            ("proxy.test", "proxy.test:1080"), ("https://PROXY.test/", "proxy.test:443"),
            ("http://user:p%40ss@proxy.test:1/", "proxy.test:1"), ("http://user@proxy.test", "proxy.test:1080"),
            ("http://127.0.0.1:3128", nil), ("http://[::1]:3128", nil), ("localhost:3128", nil),
            // libcurl looks up what a SOCKS proxy wants to know.
            ("socks5h://proxy.test:1080", nil), ("socks5://proxy.test", nil), ("ftp://proxy.test", nil),
            ("http://", nil),
        ]
    )
    func proxyName(text: String, name: String?) throws {
        let rules = rules(["http_proxy": text])
        #expect(try peer(rules, "http", "origin.test") == name)
        #expect(try way(rules, "http", "origin.test") == text)
        #expect(!"\(rules)".contains("p%40ss"))
    }

    @Test("leads to a proxy whose name is beyond ASCII in any locale")
    func international() throws {
        let environment = rules(["http_proxy": "http://us%40er:pass@bücher.test:3128"])
        #expect(try peer(environment, "http", "a.test") == "xn--bcher-kva.test:3128")
        #expect(try way(environment, "http", "a.test").hasPrefix("http://us%40er:pass@xn--bcher-kva.test:3128"))
        let server = ProxyRules(.server(.init(host: "BÜCHER.test", port: 1, except: ["öl.test"]))) { _ in nil }
        #expect(try way(server, "http", "a.test") == "http://xn--bcher-kva.test:1")
        #expect(try peer(server, "http", "x.Öl.test") == "x.xn--l-0ga.test:80")
    }

    @Test(
        "cannot be what libcurl would not accept, which is a problem of the variable, without its value",
        arguments: [
            ("http://user:sesame@", false), ("ftp://sesame", false), ("http://pro xy:1", false), ("p:99999", false),
            ("http://", false), ("quic://p", false), ("p:port", false), ("proxy", true), ("proxy:3128", true),
            ("http://u:p@proxy/", true), ("https://proxy", true), ("SOCKS5h://u:p@proxy", true), ("[::1]:1", true),
        ]
    )
    func problems(value: String, isValid: Bool) {
        for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            let problems = EnvironmentProxies { $0 == name ? value : nil }.problems
            #expect(problems.map(\.name) == (isValid ? [] : [name]), "\(value)")
            #expect(problems.allSatisfy { $0.value == "(hidden)" && !"\($0)".contains("sesame") })
        }
        // What is not used is not checked.
        let unused = ["http_proxy": "p", "https_proxy": "p", "all_proxy": value, "HTTP_PROXY": value]
        #expect(EnvironmentProxies { unused[$0] }.problems.isEmpty)
    }

    @Test("is named by host, port and what set it, without user and password")
    func place() throws {
        let origins = [try Origin(scheme: "http", authority: "a"), try Origin(scheme: "https", authority: "a")]
        let variables = ["http_proxy": "http://user:pass@p", "ALL_PROXY": "socks5h://user:pass@s:1", "no_proxy": "b"]
        #expect(origins.map { rules(variables).place(for: $0) } == ["p:1080 (http_proxy)", "s:1 (ALL_PROXY)"])
        #expect(rules(variables).place(for: try Origin(scheme: "http", authority: "b")) == nil)
        let proxy = PoolProxy.Server(host: "[::1]", port: 8, credentials: .init(user: "u", password: "p"))
        let server = ProxyRules(.server(proxy), setBy: "HTTP_CLIENT_PROXY") { _ in nil }
        #expect(origins.map { server.place(for: $0) } == Array(repeating: "[::1]:8 (HTTP_CLIENT_PROXY)", count: 2))
        #expect(ProxyRules(.direct) { _ in nil }.place(for: origins[0]) == nil)
    }

    /// The list, what it excepts, and what it does not: as curl reads `no_proxy` (its test 1614).
    static let exceptions: [(list: String, direct: [String], proxied: [String])] = [
        ("*", ["a.test", "127.0.0.1", "[::1]"], []),
        ("a.test", ["a.test", "A.TEST", "b.a.test", "a.test."], ["ba.test", "test", "a.test.com"]),
        (".a.test,.b.test.", ["a.test", "x.a.test", "b.test"], ["ba.test"]),
        ("a.test, b.test  c.test", ["a.test", "b.test", "c.test"], ["d.test"]),
        ("10.0.0.0/8", ["10.1.2.3"], ["11.0.0.1", "10.1.2.3.test"]),
        ("192.168.1.0/25,127.0.0.1", ["192.168.1.127", "127.0.0.1"], ["192.168.1.128", "127.0.0.2"]),
        ("10.0.0.0/33,10.0.0.0/x", [], ["10.0.0.0"]),
        ("fd00::/8,[::1]", ["[fd12::1]", "[::1]"], ["[fe00::1]", "[::2]"]),
        ("localhost", ["localhost"], ["127.0.0.1"]),
        ("bücher.test", ["xn--bcher-kva.test", "www.bücher.test"], []),
        ("", [], ["a.test"]), (",, ,", [], ["a.test"]),
    ]

    @Test("is straight to what is excepted", arguments: exceptions)
    func excepted(list: String, direct: [String], proxied: [String]) throws {
        for name in ["no_proxy", "NO_PROXY"] {
            let rules = rules(["all_proxy": "http://p:1", name: list])
            for host in direct { #expect(try way(rules, "http", host) == "direct", "\(host)") }
            for host in proxied { #expect(try way(rules, "https", host) == "http://p:1", "\(host)") }
        }
    }
}
