import Configuration
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("The page for people")
struct StatusPageTests {
    private let catalog = CallSite("catalog")

    /// A client of a fake pool that tells one turn.
    private func client(
        name: String = "default",
        configuration: PoolConfiguration = PoolConfiguration(),
        _ fill: (inout PoolTurn) -> Void
    ) throws -> InstrumentedClient {
        let pool = FakePool(configuration: configuration)
        let client = try InstrumentedClient(pool, name: name, registry: PoolRegistry())
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 0))
        fill(&turn)
        pool.report(turn)
        return client
    }

    private func page(_ clients: InstrumentedClient...) -> [String] {
        let text = StatusPage.text(clients.map { $0.reading() }, pools: (created: 3, alive: 2))
        #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"))
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private func levels(connecting: Int = 0, active: Int = 0, idle: Int = 0, queued: Int = 0, inFlight: Int = 0)
        -> OriginLevels
    {
        var levels = OriginLevels()
        levels.connections.connecting = connecting
        levels.connections.active = active
        levels.connections.idle = idle
        levels.requests.queued = queued
        levels.requests.connecting = connecting
        levels.requests.inFlight = inFlight
        return levels
    }

    @Test("says what a person on call asks, at a glance")
    func wholePage() throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 120
        let client = try client(configuration: configuration) { turn in
            let (api, files) = (OriginID(index: 0), OriginID(index: 1))
            turn.newOrigins = [
                PoolTurn.NewOrigin(api, Origin(scheme: "https", host: "api.example", port: 443)),
                PoolTurn.NewOrigin(files, Origin(scheme: "http", host: "files.internal.example", port: 8080)),
            ]
            let opened = PoolEvent.connectionOpened(api, took: 1)
            let reused = PoolEvent.acquired(api, .reused, site: catalog, waited: 1, queued: 1)
            turn.events =
                [.acquired(api, .new, site: catalog, waited: 1, queued: 0), reused, reused, reused]
                + [PoolEvent](repeating: opened, count: 120)
                + [
                    .connectionClosed(api, .peerClosed, lifetime: 1, requests: 1), .queued(api, behind: .connections),
                    .acquireFailed(api, .timeout, site: catalog, waited: 1), .connectFailed(files, .refused, took: 1),
                ]
            turn.origins = [
                PoolTurn.ChangedOrigin(api, levels(active: 118, idle: 1, queued: 12, inFlight: 118)),
                PoolTurn.ChangedOrigin(files, levels(connecting: 1)),
            ]
            var site = RequestLevels()
            site.queued = 12
            site.inFlight = 118
            turn.sites = [PoolTurn.ChangedSite(catalog, site)]
            turn.resolving = 2
        }
        let expected = """
            PoolScope \(PoolScopeVersion.current); pools in this process: 2 alive, 3 ever created

            pool default (libcurl/7.88.1, OpenSSL/3.0.17)

              SATURATED    all 120 connections are taken
              connections  120 of 120: 1 connecting, 118 active, 1 idle
              requests     131: 12 queued, 1 connecting, 118 in flight
              resolving    2 names
              oldest       queued for 0 ms
              acquires     1 new, 3 reused, 0 multiplexed
              reuse ratio  75.0 %
              limit waits  1 connections
              not acquired 1 timeout
              not opened   1 refused
              closed       1 peer_closed

            origin                   connecting active   idle queued in-flight opened closed
            https://api.example:443           0    118      1     12       118    120      1
            http://file...ample:8080          1      0      0      0         0      0      0

            call site                                            queued connecting in-flight
            catalog                                                  12          0       118

              limit                 in force  set by
              connections                120  code
              per origin                none  default limits.maxConnectionsPerOrigin
              idle connections           100  default limits.maxIdleConnections
              queued requests           none  default limits.maxQueuedRequests
              queue order               fair  default limits.queueOrder
              keepalive expiry        30.0 s  default limits.keepaliveExpiry
              max lifetime              none  default limits.maxConnectionLifetime
              connect timeout         10.0 s  default timeouts.connect
              acquire timeout         30.0 s  default timeouts.acquire
              read timeout            30.0 s  default timeouts.read
              write timeout           30.0 s  default timeouts.write
              total timeout             none  default timeouts.total
              HTTP/2                     off  default transport.http2
              CA file                   none  default transport.tls.trust
              oldest TLS                 1.2  default transport.tls.minimumVersion
              proxy                     none  default transport.proxy
              not by proxy              none  default transport.proxy
              decompression              off  default transport.decompression
              DNS cache               60.0 s  default transport.dnsCache
              TCP keepalive           60.0 s  default transport.tcpKeepAlive
              origin series               64  default series.maxOrigins
              site series                 32  default series.maxCallSites
              series kept            600.0 s  default series.retention
              lease overdue           60.0 s  default series.overdueLease
            """
        #expect(page(client) == expected.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }

    @Test("shows the names that are being resolved, if the pool reports look-ups")
    func resolving() throws {
        #expect(page(try client { $0.resolving = 0 }).contains("  resolving    none"))
        #expect(page(try client { $0.resolving = 1 }).contains("  resolving    1 name"))
        let recorder = PoolRecorder(backend: PoolBackend(library: "x/1", tls: "none"))
        let measured = try MeasuredPool(recorder, name: "other", registry: PoolRegistry())
        let text = StatusPage.text([measured.reading()], pools: (created: 1, alive: 1))
        #expect(!text.contains("resolving"))
    }

    @Test("says in grammatical words that one connection is all there is")
    func saturatedByOne() throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 1
        let api = OriginID(index: 0)
        let lines = page(
            try client(configuration: configuration) { turn in
                turn.newOrigins = [PoolTurn.NewOrigin(api, Origin(scheme: "http", host: "a", port: 80))]
                turn.origins = [PoolTurn.ChangedOrigin(api, levels(active: 1, queued: 1, inFlight: 1))]
            }
        )
        #expect(lines.contains("  SATURATED    the only connection is taken"), "\(lines)")
    }

    @Test("counts a request that no turn has told of, and says for how long it has waited")
    func pending() throws {
        let pool = FakePool()
        let client = try InstrumentedClient(pool, registry: PoolRegistry())
        let origin = Origin(scheme: "http", host: "a", port: 80)
        // Submitted when the clock began: the wait is as long as the system has been up, and above a second.
        pool.submit(
            PendingSubmission(number: 1, origin: origin, site: catalog, submitted: MonotonicTime(nanoseconds: 0))
        )
        let lines = page(client)
        #expect(lines.contains("  requests     1: 1 queued, 0 connecting, 0 in flight"))
        #expect(lines.contains { $0.wholeMatch(of: /\s+oldest\s+queued for [0-9.kMG]+\.\d s/) != nil })
        #expect(lines.contains { $0.hasPrefix("http://a:80  ") })
        #expect(!lines.contains { $0.contains("SATURATED") })
    }

    @Test("names the limit of one origin where that is the one that bites")
    func saturatedOrigin() throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnectionsPerOrigin = 2
        let client = try client(configuration: configuration) { turn in
            turn.newOrigins = [PoolTurn.NewOrigin(OriginID(index: 0), Origin(scheme: "http", host: "a", port: 80))]
            turn.origins = [PoolTurn.ChangedOrigin(OriginID(index: 0), levels(active: 2, queued: 1, inFlight: 2))]
        }
        #expect(page(client).contains("  SATURATED    1 origin at the limit of 2 connections each"))
    }

    @Test("names the variable that set a limit, and infinity is none")
    func sources() throws {
        let variables = [
            "HTTP_CLIENT_MAX_CONNECTIONS_PER_ORIGIN": "1000000", "HTTP_CLIENT_READ_TIMEOUT": "none",
            "HTTP_CLIENT_MAX_CONNECTION_LIFETIME": "31536000",
        ]
        let provider = EnvironmentVariablesProvider(environmentVariables: variables)
        let client = try client(configuration: PoolConfiguration(config: ConfigReader(provider: provider))) { _ in }
        let lines = page(client)
        let set = "HTTP_CLIENT_MAX_CONNECTIONS_PER_ORIGIN"
        #expect(lines.contains("  per origin             1000000  \(set)"))
        #expect(lines.contains("  max lifetime      31536000.0 s  HTTP_CLIENT_MAX_CONNECTION_LIFETIME"))
        #expect(lines.contains("  read timeout              none  HTTP_CLIENT_READ_TIMEOUT"))
        #expect(lines.contains("  acquire timeout         30.0 s  default HTTP_CLIENT_POOL_TIMEOUT"))
        #expect(lines.contains("  reuse ratio  no acquire yet"))
        #expect(lines.allSatisfy { $0.count <= 80 })
    }

    @Test("shows the transport too, without a password, and a variable that is not a setting")
    func transport() throws {
        let variables = [
            "HTTP_CLIENT_PROXY": "http://user:sesame@proxy.example:3128", "HTTP_CLIENT_HTTP2": "negotiated",
            "HTTP_CLIENT_MAX_CONNECTONS": "sesame",
        ]
        let provider = EnvironmentVariablesProvider(environmentVariables: variables)
        let client = try client(configuration: PoolConfiguration(config: ConfigReader(provider: provider))) { _ in }
        let lines = page(client)
        #expect(lines.contains("  HTTP/2              negotiated  HTTP_CLIENT_HTTP2"))
        #expect(lines.contains("  proxy             http://(hidden)@proxy.example:3128  HTTP_CLIENT_PROXY"))
        #expect(lines.contains { $0.hasPrefix("  not by proxy              none  default HTTP_CLIENT_NO_PROXY") })
        #expect(lines.contains("  WARNING      HTTP_CLIENT_MAX_CONNECTONS is not a setting; did you mean"))
        #expect(lines.contains("               HTTP_CLIENT_MAX_CONNECTIONS?"))
        #expect(!lines.joined().contains("sesame"))
        #expect(lines.allSatisfy { $0.count <= 80 })
    }

    @Test("says that the limits changed, when, and what was reloaded")
    func reloaded() async throws {
        let pool = FakePool()
        let client = try InstrumentedClient(pool, registry: PoolRegistry())
        #expect(!page(client).contains { $0.hasPrefix("  limits ") })
        let values: [AbsoluteConfigKey: ConfigValue] = [
            "httpClient.maxConnections": 50, "httpClient.maxConnectionsPerOrigin": 40,
        ]
        let snapshot = ConfigReader(provider: InMemoryProvider(values: values)).snapshot()
        try await client.pool.reconfigure(PoolConfiguration().reloaded(from: snapshot))
        var lines = page(client)
        #expect(lines.contains("  connections  0 of 50: 0 connecting, 0 active, 0 idle"))
        #expect(lines.contains("  connections                 50  httpClient.maxConnections (reload)"))
        // The fake pool dates its turns at the beginning of the clock.
        #expect(lines.contains { $0.wholeMatch(of: /\s+limits       changed once, last [0-9.kMG]+\.\d s ago/) != nil })
        #expect(lines.allSatisfy { $0.columns <= StatusPage.width })
        #expect(lines.contains { $0.hasPrefix("  per origin") && $0.hasSuffix("(reload)") })

        try await client.pool.reconfigure(PoolConfiguration())
        lines = page(client)
        #expect(lines.contains { $0.hasPrefix("  limits       changed 2 times, last ") })
        #expect(!lines.contains { $0.contains("(reload)") })
    }

    @Test("no line is longer than 80 columns, whatever the names and numbers are")
    func narrow() throws {
        let client = try client(name: String(repeating: "\u{1F600}", count: 16)) { turn in
            let huge = levels(
                connecting: .max / 9,
                active: .max / 9,
                idle: .max / 9,
                queued: .max / 9,
                inFlight: .max / 9
            )
            for index in 0..<3 {
                let host = String(repeating: "\u{4E2D}", count: 200) + "\(index)"
                turn.newOrigins.append(
                    PoolTurn.NewOrigin(OriginID(index: Int32(index)), Origin(scheme: "https", host: host, port: 65535))
                )
                turn.origins.append(PoolTurn.ChangedOrigin(OriginID(index: Int32(index)), huge))
                for reason in CloseReason.allCases {
                    turn.events.append(
                        .connectionClosed(OriginID(index: Int32(index)), reason, lifetime: 1, requests: 1)
                    )
                }
            }
            var levels = RequestLevels()
            levels.queued = .max
            turn.sites = [
                PoolTurn.ChangedSite(CallSite("a\u{1B}[2J\u{202E}\n" + String(repeating: "long ", count: 100)), levels)
            ]
        }
        let lines = page(client)
        #expect(lines.allSatisfy { $0.columns <= StatusPage.width })
        #expect(lines.contains { $0.hasPrefix("a?[2J??long") })
        #expect(lines.allSatisfy { line in line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E } })
        // Where a list takes two lines, the second stands under the first.
        let closed = try #require(lines.firstIndex { $0.hasPrefix("  closed       3 idle_expired,") })
        #expect(lines[closed + 1].hasPrefix("               3 "))
    }

    @Test("shows pools that are not measured in its first line")
    func noPools() {
        #expect(
            page() == [
                "PoolScope \(PoolScopeVersion.current); pools in this process: 2 alive, 3 ever created", "",
                "no pool is measured",
            ]
        )
    }

    @Test("puts the busiest origin first")
    func order() throws {
        let client = try client { turn in
            for (index, host) in ["b", "a", "busy"].enumerated() {
                let id = OriginID(index: Int32(index))
                turn.newOrigins.append(PoolTurn.NewOrigin(id, Origin(scheme: "http", host: host, port: 80)))
                turn.origins.append(PoolTurn.ChangedOrigin(id, levels(idle: host == "busy" ? 2 : 1)))
            }
        }
        let hosts = page(client).compactMap { $0.firstMatch(of: /^http:\/\/(\w+):80/)?.1 }
        #expect(hosts == ["busy", "a", "b"])
    }

    @Test(
        "a number takes six characters at most",
        arguments: [
            (0, "0"), (999_999, "999999"), (1_000_000, "1.00M"), (1_999_999, "1.99M"), (12_345_678, "12.3M"),
            (999_999_999, "999M"), (1_000_000_000, "1.00G"), (123_456_789_012, "123G"), (.max, "18.4E"),
        ] as [(UInt64, String)]
    )
    func numbers(number: UInt64, text: String) { #expect(number.compact == text) }

    @Test(
        "a text that is too long loses its middle",
        arguments: [
            ("abcdef", 6, "abcdef"), ("abcdefg", 6, "ab...g"),
            ("\u{4E2D}\u{4E2D}\u{4E2D}\u{4E2D}", 7, "\u{4E2D}...\u{4E2D}"),
        ]
    )
    func fitted(text: String, width: Int, shown: String) {
        #expect(text.fitted(to: width) == shown)
        #expect(text.left(width).columns == width && text.right(width).columns == width)
    }
}
