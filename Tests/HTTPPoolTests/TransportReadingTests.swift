import Configuration
import HTTPTypes
import Synchronization
import Testing

@testable import HTTPPool

/// The settings of a transport.
private let transport = PoolSetting.all.filter { $0.group == .transport }

private func texts(_ configuration: PoolConfiguration) -> [String] {
    transport.map { configuration.value(of: $0).description }
}

@Suite("A transport from variables")
struct TransportReadingTests {
    @Test("is the default where no variable is set")
    func defaults() throws {
        let configuration = try read([:])
        #expect(configuration.transport == PoolTransport())
        #expect(PoolSetting.all.allSatisfy { configuration.source(of: $0) == .default })
        let texts = texts(configuration)
        #expect(texts == ["off", "none", "1.2", "none", "none", "off", "60.0 s", "60.0 s"])
    }

    /// A text for every setting, what it leads to, and how that is shown.
    static let samples: [(setting: PoolSetting, text: String, change: @Sendable (inout PoolTransport) -> Void)] = [
        (.http2, "negotiated", { $0.http2 = .negotiated }),
        (.caFile, "/etc/ca.pem", { $0.tls.trust = .systemAnd(.file("/etc/ca.pem")) }),
        (.minimumTLSVersion, "1.3", { $0.tls.minimumVersion = .tls13 }),
        (.proxy, "http://proxy.internal:3128", { $0.proxy = .server(.init(host: "proxy.internal", port: 3128)) }),
        (.decompression, "on", { $0.decompression = .on() }),
    ]

    @Test("takes each of its settings from its variable, with the source, and leaves the others", arguments: samples)
    func each(setting: PoolSetting, text: String, change: @Sendable (inout PoolTransport) -> Void) throws {
        let configuration = try read([setting.variable: text])
        var expected = PoolTransport()
        change(&expected)
        #expect(configuration.transport == expected)
        #expect(configuration.value(of: setting).description == text)
        for other in PoolSetting.all {
            #expect(configuration.source(of: other) == (other == setting ? .environment(setting.variable) : .default))
        }
    }

    @Test(
        "takes the words that say the default too",
        arguments: [
            ("HTTP2", "off"), ("TLS_MIN_VERSION", "1.2"), ("PROXY", "none"), ("DECOMPRESSION", "off"),
        ]
    )
    func defaultWords(name: String, text: String) throws {
        let configuration = try read(["HTTP_CLIENT_\(name)": text])
        #expect(configuration.transport == PoolTransport())
        let set = PoolSetting.all.filter { configuration.source(of: $0) != .default }
        #expect(set.map(\.variable) == ["HTTP_CLIENT_\(name)"])
    }

    @Test(
        "takes the seconds that addresses are used, and those after which TCP asks for the peer",
        arguments: [("0", Duration.zero), ("0.5", .milliseconds(500)), ("300", .seconds(300))]
    )
    func seconds(text: String, value: Duration) throws {
        let configuration = try read(["HTTP_CLIENT_DNS_CACHE": text, "HTTP_CLIENT_TCP_KEEPALIVE": "15"])
        #expect(configuration.transport.dnsCache == value)
        #expect(configuration.transport.tcpKeepAlive == .seconds(15))
        #expect(configuration.source(of: .dnsCache) == .environment("HTTP_CLIENT_DNS_CACHE"))
        #expect(try read(["HTTP_CLIENT_TCP_KEEPALIVE": "none"]).transport.tcpKeepAlive == nil)
    }

    private typealias Server = PoolProxy.Server

    @Test("takes a proxy with user and password, and shows neither")
    func credentials() throws {
        let configuration = try read(["HTTP_CLIENT_PROXY": "https://us%40er:se%3Asa:me%25@[::1]:8443/"])
        var expected = Server(host: "[::1]", port: 8443, credentials: .init(user: "us@er", password: "se:sa:me%"))
        expected.scheme = "https"
        #expect(configuration.transport.proxy == .server(expected))
        #expect(configuration.value(of: .proxy).description == "https://(hidden)@[::1]:8443")
        var shown = "\(configuration)"
        dump(configuration, to: &shown)
        #expect(!shown.contains("us@er") && !shown.contains("sa:me"))
    }

    @Test("is a secret to whoever logs what is read")
    func secret() throws {
        let values = ValuesRead()
        let variables = ["HTTP_CLIENT_PROXY": "http://user:sesame@p:1", "HTTP_CLIENT_HTTP2": "off"]
        let provider = EnvironmentVariablesProvider(environmentVariables: variables)
        _ = try PoolConfiguration(config: ConfigReader(provider: provider, accessReporter: values))
        #expect(values.all.map(\.isSecret) == [false, true])
    }

    @Test("takes a user alone, and the environment's own proxies")
    func otherProxies() throws {
        let alone = Server(host: "p", port: 1, credentials: .init(user: "token", password: ""))
        #expect(try read(["HTTP_CLIENT_PROXY": "HTTP://token@P:1"]).transport.proxy == .server(alone))
        #expect(try read(["HTTP_CLIENT_PROXY": "environment"]).transport.proxy == .environment)
    }

    @Test("takes exceptions from the proxy, with spaces between them")
    func exceptions() throws {
        let variables = [
            "HTTP_CLIENT_PROXY": "http://p:1", "HTTP_CLIENT_NO_PROXY": "localhost, .internal ,10.0.0.0/8,[::1]",
        ]
        let configuration = try read(variables)
        let except = ["localhost", ".internal", "10.0.0.0/8", "[::1]"]
        #expect(configuration.transport.proxy == .server(Server(host: "p", port: 1, except: except)))
        #expect(configuration.value(of: .proxyExceptions).description == except.joined(separator: ","))
        #expect(configuration.source(of: .proxyExceptions) == .environment("HTTP_CLIENT_NO_PROXY"))
    }

    @Test("has a key for a provider of typed values")
    func typed() throws {
        let configuration = try read(values: [
            "httpClient.http2": "negotiated", "httpClient.caFile": "ca.pem", "httpClient.tlsMinVersion": 1.3,
            "httpClient.proxy": "http://p:1", "httpClient.noProxy": "a", "httpClient.decompression": "on",
            "httpClient.dnsCache": 2.5, "httpClient.tcpKeepalive": 15,
        ])
        let texts = texts(configuration)
        #expect(texts == ["negotiated", "ca.pem", "1.3", "http://p:1", "a", "on", "2.5 s", "15.0 s"])
    }

    @Test("names the code as the source of what the code changed")
    func code() throws {
        var configuration = try read(["HTTP_CLIENT_HTTP2": "negotiated", "HTTP_CLIENT_PROXY": "http://p:1"])
        configuration.transport.http2 = .negotiated
        configuration.transport.proxy = .server(Server(host: "p", port: 1, except: ["a"]))
        configuration.transport.tls.trust = .only(.text("PEM"))
        let sources = transport.map { configuration.source(of: $0) }
        let expected: [PoolSetting.Source] = [
            .environment("HTTP_CLIENT_HTTP2"), .code, .default, .environment("HTTP_CLIENT_PROXY"), .code, .default,
            .default, .default,
        ]
        #expect(sources == expected)
        #expect(configuration.value(of: .caFile).description == "only (hidden)")
    }
}

/// Every value that a reader found.
private final class ValuesRead: AccessReporter {
    private let values = Mutex<[ConfigValue]>([])

    var all: [ConfigValue] { values.withLock { $0 } }

    func report(_ event: AccessEvent) {
        if case .success(let value?) = event.result { values.withLock { $0.append(value) } }
    }
}

@Suite("A wrong transport")
struct TransportProblemTests {
    private static let proxyAllowed = "none, environment, or http://[user:password@]host:port (or https://)"
    private static let exceptionsAllowed = "hosts, domains (.internal) and networks (10.0.0.0/8), separated by commas"

    static let table: [(variable: String, allowed: String, values: [String])] = [
        ("HTTP_CLIENT_HTTP2", "off or negotiated", ["", "on", "OFF", "true", " off"]),
        ("HTTP_CLIENT_CA_FILE", "the path of a file with certificates in PEM form", ["", "\0"]),
        ("HTTP_CLIENT_TLS_MIN_VERSION", "1.2 or 1.3", ["", "1.1", "1.20", "TLSv1.3", "13"]),
        ("HTTP_CLIENT_DECOMPRESSION", "off or on", ["", "gzip", "On", "1"]),
        ("HTTP_CLIENT_DNS_CACHE", "seconds, from 0 to 31536000", ["", "-1", "none", "31536001", "0x1", "1s"]),
        (
            "HTTP_CLIENT_TCP_KEEPALIVE", "whole seconds from 1 to 32767, or none",
            ["", "0", "-1", "1.5", "32768", "off", "+1", "99999999999999999999"]
        ),
        (
            "HTTP_CLIENT_PROXY", proxyAllowed,
            [
                "", "None", "proxy", "proxy:3128", "http://", "http://proxy", "http://proxy:", "http://:3128",
                "http://proxy:0", "http://proxy:65536", "socks5://proxy:1080", "http://[::1]", "http://[::1",
            ]
        ),
    ]

    @Test(
        "is an error that names its variable, its value unless it may be secret, and what is allowed",
        arguments: table
    )
    func everyKind(variable: String, allowed: String, values: [String]) {
        for value in values {
            // A bracket that is not closed is no host, so the text might be anything.
            let shown = value == "http://[::1" ? "(hidden)" : value
            let expected = ConfigurationError.Problem(name: variable, value: shown, allowed: allowed)
            #expect(problems(with: [variable: value]) == [expected])
        }
    }

    @Test(
        "of a proxy is not shown where it may hold a password",
        arguments: [
            "http://user:sesame@proxy", "ftp://user:sesame@proxy:1", "user:sesame@proxy:3128", "http://user:sesame",
            "http://user:sesame%40proxy:3128", "http://:sesame@proxy:3128", "http://user:ses%0Aame@proxy:3128",
            "http://user:ses%zzame@proxy:3128", "http://proxy:3128/?sesame", "http://proxy:3128/#sesame",
            "http://proxy:3128/sesame", "http://us%3Aer:sesame@proxy:3128", "http://user:sesame@pro xy:3128",
        ]
    )
    func hidden(value: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try read(["HTTP_CLIENT_PROXY": value]) }
        let expected = ConfigurationError.Problem(
            name: "HTTP_CLIENT_PROXY",
            value: "(hidden)",
            allowed: Self.proxyAllowed
        )
        #expect(error.problems == [expected])
        #expect(!"\(error)".contains("sesame"))
    }

    @Test(
        "of exceptions",
        arguments: [
            "", ",", "a,,b", "a,", "*.internal", "a b", "http://a", "10.0.0.0/x", "a;b", "10.0.0.0/99", "10.0.0.0/33",
            "a.test,10.0.0.0/33", "[fd00::]/129", "a.test/8", "10.0.0/8", "10.0.0.0/", "a.test:8080",
        ]
    )
    func exceptions(value: String) {
        let variables = ["HTTP_CLIENT_PROXY": "http://p:1", "HTTP_CLIENT_NO_PROXY": value]
        let name = "HTTP_CLIENT_NO_PROXY"
        let expected = ConfigurationError.Problem(name: name, value: value, allowed: Self.exceptionsAllowed)
        #expect(problems(with: variables) == [expected])
    }

    @Test(
        "of exceptions is not shown where it may hold a password",
        arguments: [
            "http://user:sesame@proxy:3128", "user:sesame@host", "a,sesame?token", "a,key=sesame", "fd00::/129",
            "a.test:sesame", "a:b:sesame",
        ]
    )
    func hiddenExceptions(value: String) {
        let variables = ["HTTP_CLIENT_PROXY": "http://p:1", "HTTP_CLIENT_NO_PROXY": value]
        #expect(problems(with: variables).map(\.value) == ["(hidden)"])
    }

    @Test(
        "of exceptions is no network that an address can be in",
        arguments: ["10.0.0.0/32", "fd00::/128", "[fd00::]/8", "::1", "[::1]", "10.0.0.1", "*", ".a.test"]
    )
    func networks(value: String) {
        #expect(problems(with: ["HTTP_CLIENT_PROXY": "http://p:1", "HTTP_CLIENT_NO_PROXY": value]) == [])
    }

    @Test("is one with exceptions and no proxy of its own", arguments: [nil, "none", "environment"])
    func exceptionsWithoutProxy(proxy: String?) {
        var variables = ["HTTP_CLIENT_NO_PROXY": "a"]
        variables["HTTP_CLIENT_PROXY"] = proxy
        let allowed = "only with a URL in HTTP_CLIENT_PROXY"
        let expected = ConfigurationError.Problem(name: "HTTP_CLIENT_NO_PROXY", value: "a", allowed: allowed)
        #expect(problems(with: variables) == [expected])
    }

    @Test("is told beside wrong limits, in one error")
    func allAtOnce() {
        let names = ["READ_TIMEOUT", "HTTP2", "CA_FILE", "TLS_MIN_VERSION", "PROXY", "DECOMPRESSION"]
        var variables = Dictionary(uniqueKeysWithValues: names.map { ("HTTP_CLIENT_\($0)", "") })
        // Whether exceptions have a proxy cannot be said of one that could not be read.
        variables["HTTP_CLIENT_NO_PROXY"] = "a"
        #expect(problems(with: variables).map(\.name) == names.map { "HTTP_CLIENT_\($0)" })
    }

    private func found(_ change: (inout PoolTransport) -> Void) -> [String] {
        var configuration = PoolConfiguration()
        change(&configuration.transport)
        do throws(ConfigurationError) {
            try configuration.validate()
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("is found when the code made it, without its secrets")
    func code() throws {
        #expect(found { $0.proxy = .server(.init(host: "p", port: 1, except: [".internal"])) }.isEmpty)
        let proxies: [PoolProxy.Server] = [
            .init(host: "", port: 1), .init(host: "p", port: 0), .init(host: "::1", port: 1),
            .init(host: "a b", port: 1), .init(host: "user:sesame@p", port: 1),
        ]
        for proxy in proxies {
            let texts = found { $0.proxy = .server(proxy) }
            #expect(texts.count == 1 && texts.joined().hasPrefix("transport.proxy is "), "\(texts)")
            #expect(!texts.joined().contains("sesame"))
        }
        var scheme = PoolProxy.Server(host: "p", port: 1)
        scheme.scheme = "socks5"
        #expect(found { $0.proxy = .server(scheme) }.count == 1)
        for credentials in [
            PoolProxy.Credentials(user: "us:er", password: "sesame"), .init(user: "", password: "sesame"),
            .init(user: "user", password: "sesame\r\n"),
        ] {
            let texts = found { $0.proxy = .server(.init(host: "p", port: 1, credentials: credentials)) }
            #expect(texts.count == 1 && !texts.joined().contains("sesame"), "\(texts)")
        }
        #expect(found { $0.proxy = .server(.init(host: "p", port: 1, except: ["*.internal"])) }.count == 1)
        #expect(found { $0.decompression = .on(maxRatio: 0) }.count == 1)
        #expect(found { $0.decompression = .on(maxRatio: 1) }.isEmpty)
        #expect(found { $0.dnsCache = .zero }.isEmpty)
        #expect(
            found { $0.dnsCache = .seconds(-1) } == [
                #"transport.dnsCache is "-1.0 s"; allowed: seconds, from 0 to 31536000"#
            ]
        )
        #expect(found { $0.tcpKeepAlive = nil }.isEmpty)
        #expect(found { $0.tcpKeepAlive = .milliseconds(1500) }.count == 1)
        #expect(found { $0.tcpKeepAlive = .seconds(40_000) }.count == 1)
        #expect(found { $0.proxy = .server(.init(host: "bücher.example", port: 1)) }.isEmpty)
        #expect(found { $0.tls.trust = .only(.file("")) }.count == 1)
        #expect(found { $0.tls.identity = .init(certificate: .file(""), privateKey: .file("k")) }.count == 1)
    }

    @Test("is one with a default header that no request could be sent with")
    func headers() throws {
        let name = try #require(HTTPField.Name("x-key"))
        #expect(found { $0.defaultHeaders[name] = "sesame" }.isEmpty)
        let broken = found {
            $0.defaultHeaders.append(HTTPField(name: name, lenientValue: Array("sesame\u{1}".utf8)))
            $0.defaultHeaders[.contentLength] = "1"
            $0.defaultHeaders[.transferEncoding] = "chunked"
        }
        #expect(broken.count == 3)
        #expect(broken.allSatisfy { $0.hasPrefix("transport.defaultHeaders is ") && !$0.contains("sesame") })
    }
}
