import Configuration
import Foundation
import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

@Suite("The exposition")
struct ExpositionTests {
    let registry = PoolRegistry()

    /// A pool that has done a little of everything.
    func busyPool(_ name: String, configuration: PoolConfiguration = PoolConfiguration()) throws -> InstrumentedClient {
        let client = FakePool(configuration: configuration)
        let measured = try InstrumentedClient(client, name: name, registry: registry)
        let events: [PoolEvent] = [
            .queued(.a, behind: .connections), .connectionOpened(.a, took: 4_000_000),
            .acquired(.a, .new, waited: 5_000_000, queued: 1_000_000), .responded(.a, waited: 250_000_000),
            .leaseEnded(.a, held: 70_000_000),
            .acquired(.a, .reused, waited: 20_000, queued: 20_000), .connectFailed(.b, .dns, took: 1_000_000_000),
            .acquireFailed(.b, .connectFailed, waited: 1_000_000_000), .staleRetry(.a),
            .connectionOpened(.b, took: 1), .connectionClosed(.b, .peerClosed, lifetime: 40_000_000_000, requests: 12),
        ]
        client.report(
            PoolTurn(events).introducing(0, "a").introducing(1, "b").levels(0, active: 1, queued: 2, inFlight: 1)
                .levels(CallSite("catalog"), queued: 2)
        )
        return measured
    }

    func page(_ process: ProcessReading? = nil) throws -> ExpositionReader {
        try ExpositionReader(Exposition.text(registry.readings(), process: process))
    }

    @Test("Every family is written once, with help and type, and its samples together over all pools")
    func families() throws {
        let pools = try [busyPool("one"), busyPool("two")]
        pools[1].measured.noteReload(succeeded: true)
        let bytes = Exposition.render(
            registry.readings(),
            process: .current(),
            endpoint: EndpointReading(),
            as: .text,
            only: nil
        )
        let page = try ExpositionReader(bytes)
        #expect(Set(page.types.keys) == Set(Family.all.map(\.name)))
        #expect(Set(Family.all.map(\.name)).count == Family.all.count)
        for family in Family.all where family.kind == .counter { #expect(family.name.hasSuffix("_total")) }
        #expect(page.types["http_client_pool_acquires_total"] == "counter")
        #expect(
            page.all("http_client_pool_acquires_total").map { $0.labels["pool"] }.prefix(6).allSatisfy { $0 == "one" }
        )
        withExtendedLifetime(pools) {}
    }

    @Test("Samples say what the reading says")
    func values() throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 7
        configuration.timeouts.acquire = .milliseconds(1500)
        let pool = try busyPool("one", configuration: configuration)
        let page = try page()
        let a = ["pool": "one", "origin": "http://a:80"]
        func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
            page.value("http_client_pool_" + name, labels.merging(["pool": "one"]) { label, _ in label })
        }
        #expect(value("connections", a.merging(["state": "active"]) { $1 }) == 1)
        #expect(value("requests", a.merging(["state": "queued"]) { $1 }) == 2)
        #expect(value("site_requests", ["site": "catalog", "state": "queued"]) == 2)
        #expect(value("acquires_total", a.merging(["kind": "reused"]) { $1 }) == 1)
        #expect(value("acquire_failures_total", ["origin": "http://b:80", "reason": "connect_failed"]) == 1)
        #expect(value("connect_failures_total", ["origin": "http://b:80", "reason": "dns"]) == 1)
        #expect(value("connections_closed_total", ["origin": "http://b:80", "reason": "peer_closed"]) == 1)
        #expect(value("connections_opened_total", a) == 1)
        #expect(value("stale_retries_total", a) == 1)
        #expect(value("limit_waits_total", ["origin": "http://a:80", "limit": "connections"]) == 1)
        #expect(value("limit_waits_total", ["origin": "http://b:80", "limit": "connections"]) == 0)
        #expect(value("leases_total", ["origin": "http://a:80", "outcome": "2xx"]) == 1)
        #expect(value("leases_total", ["origin": "http://b:80", "outcome": "5xx"]) == 0)
        #expect(value("responses_total", a) == 1)
        #expect(value("response_wait_seconds_total", a) == 0.25)
        #expect(value("time_to_head_seconds_bucket", ["le": "0.25"]) == 1)
        #expect(value("site_acquires_total", ["site": "catalog"]) == 0)
        #expect(value("site_acquires_total", ["site": "unattributed"]) == 2)
        #expect(value("saturated", ["limit": "connections"]) == 0)
        #expect(value("saturated", ["limit": "none"]) == 1)
        #expect(value("queued_peak") == 2)
        #expect(value("demand_peak") == 3)
        #expect(value("connections_peak", ["state": "active"]) == 1)
        #expect(value("reuse_ratio") == 0.5)
        #expect(value("oldest_queued_seconds") == 0)
        #expect(value("resolving") == 0)
        #expect(value("max_connections") == 7)
        #expect(value("max_connections_per_origin") == .infinity)
        #expect(value("max_idle_connections") == 7)
        #expect(value("timeout_seconds", ["phase": "acquire"]) == 1.5)
        #expect(value("timeout_seconds", ["phase": "total"]) == .infinity)
        #expect(page.all("http_client_pool_config_source").count == PoolSetting.all.count)
        #expect(value("config_source", ["setting": "max_connections", "source": "code"]) == 1)
        #expect(value("config_source", ["setting": "read_timeout_seconds", "source": "default"]) == 1)
        #expect(value("config_changes_total") == 0)
        #expect(value("config_last_change_timestamp_seconds") == pool.reading().configurationSince)
        #expect(value("acquire_duration_seconds_count", ["outcome": "acquired"]) == 2)
        #expect(value("acquire_duration_seconds_sum", ["outcome": "acquired"]) == 0.00502)
        #expect(value("acquire_duration_seconds_bucket", ["outcome": "acquired", "le": "0.0001"]) == 1)
        #expect(value("acquire_duration_seconds_bucket", ["outcome": "failed", "le": "1.0"]) == 1)
        #expect(value("lease_duration_seconds_bucket", ["le": "0.1"]) == 1)
        #expect(value("connection_lifetime_seconds_bucket", ["le": "30.0"]) == 0)
        #expect(value("connection_requests_sum") == 12)
        withExtendedLifetime(pool) {}
    }

    @Test("Limits that changed while the pool ran are shown with their source, their number and their time")
    func reloaded() async throws {
        let pool = try InstrumentedClient(FakePool(), name: "one", registry: registry)
        let values: [AbsoluteConfigKey: ConfigValue] = ["httpClient.maxConnections": 50, "httpClient.poolTimeout": 3]
        let snapshot = ConfigReader(provider: InMemoryProvider(values: values)).snapshot()
        try await pool.pool.reconfigure(PoolConfiguration().reloaded(from: snapshot))
        let page = try page()
        func source(_ setting: String) -> [String?] {
            page.all("http_client_pool_config_source", ["setting": setting]).map { $0.labels["source"] }
        }
        #expect(page.value("http_client_pool_max_connections", ["pool": "one"]) == 50)
        #expect(page.value("http_client_pool_timeout_seconds", ["pool": "one", "phase": "acquire"]) == 3)
        #expect(source("max_connections") == ["reload"])
        #expect(source("acquire_timeout_seconds") == ["reload"])
        #expect(source("max_idle_connections") == ["default"], "it follows, nobody set it")
        #expect(page.value("http_client_pool_config_changes_total", ["pool": "one"]) == 1)
        let changed = page.value("http_client_pool_config_last_change_timestamp_seconds", ["pool": "one"])
        #expect(changed == pool.reading().configurationSince)
    }

    @Test("Whether the last reload failed is shown where settings are followed, and only there")
    func reloads() throws {
        let pools = try [busyPool("fixed"), busyPool("followed")]
        func values() throws -> [Double?] {
            let page = try page()
            return ["fixed", "followed"].flatMap { pool in
                ["config_last_reload_successful", "config_reload_failures_total"].map {
                    page.value("http_client_pool_" + $0, ["pool": pool])
                }
            }
        }
        #expect(try values() == [nil, nil, nil, nil])
        pools[1].measured.noteReload(succeeded: true)
        #expect(try values() == [nil, nil, 1, 0])
        for _ in 0..<2 { pools[1].measured.noteReload(succeeded: false) }
        #expect(try values() == [nil, nil, 0, 2])
        pools[1].measured.noteReload(succeeded: true)
        #expect(try values() == [nil, nil, 1, 2])
    }

    @Test("Names that are being looked up are a level of the pool, which stays until a turn tells of another")
    func resolving() throws {
        let fake = FakePool()
        let pool = try InstrumentedClient(fake, name: "one", registry: registry)
        for (told, shown) in [(3, 3.0), (1, 1.0), (0, 0.0)] {
            var turn = PoolTurn(now: MonotonicTime(nanoseconds: 1))
            turn.resolving = told
            fake.report(turn)
            #expect(pool.reading().resolving == told)
            let samples = try page().all("http_client_pool_resolving")
            #expect(samples.map(\.value) == [shown])
            #expect(samples.map(\.labels) == [["pool": "one"]])
        }
    }

    @Test("The invariants between levels and counters hold in the text")
    func invariants() throws {
        let pool = try busyPool("one")
        let page = try page()
        let name = "http_client_pool_"
        for origin in ["http://a:80", "http://b:80"] {
            let opened = page.sum(name + "connections_opened_total", ["origin": origin])
            let closed = page.sum(name + "connections_closed_total", ["origin": origin])
            let active = page.sum(name + "connections", ["origin": origin, "state": "active"])
            let idle = page.sum(name + "connections", ["origin": origin, "state": "idle"])
            #expect(opened - closed == active + idle)
        }
        let acquires = page.sum(name + "acquires_total")
        #expect(acquires == page.sum(name + "acquire_duration_seconds_count", ["outcome": "acquired"]))
        let leases = page.sum(name + "lease_duration_seconds_count")
        #expect(acquires == leases + page.sum(name + "requests", ["state": "in_flight"]))
        let failures = page.sum(name + "acquire_failures_total")
        #expect(failures + acquires == page.sum(name + "acquire_duration_seconds_count"))
        withExtendedLifetime(pool) {}
    }

    @Test("All known label sets exist from the start with 0, and there is no ratio before the first acquire")
    func fromTheStart() throws {
        let client = FakePool()
        let pool = try InstrumentedClient(client, name: "new", registry: registry)
        client.report(PoolTurn().introducing(0, "a"))
        let page = try page()
        #expect(page.value("http_client_pool_reuse_ratio") == nil)
        #expect(
            page.all("http_client_pool_connections_closed_total").map(\.value)
                == Array(repeating: 0, count: CloseReason.allCases.count)
        )
        #expect(page.all("http_client_pool_acquire_duration_seconds_count").map(\.value) == [0, 0])
        withExtendedLifetime(pool) {}
    }

    @Test("A pool name may hold anything that is not a control character")
    func nastyNames() throws {
        let names = [#"quote " backslash \ end \"#, #"\n"#, "}, {pool=\"x\"} 1 #", "gr\u{FC}n \u{1F600}\u{2028}"]
        let pools = try names.map { try busyPool($0) }
        let page = try page()
        #expect(Set(page.all("http_client_pool_reuse_ratio").compactMap { $0.labels["pool"] }) == Set(names))
        withExtendedLifetime(pools) {}
    }

    @Test("Labels and help escape what would end them")
    func escapes() {
        var bytes: [UInt8] = []
        bytes.append(label: "a", value: "\\ \" \n")
        #expect(String(decoding: bytes, as: UTF8.self) == #"a="\\ \" \n""#)
        for (quotes, expected) in [(false, #"\\ " \n"#), (true, #"\\ \" \n"#)] {
            bytes = []
            bytes.append(help: "\\ \" \n", escapingQuotes: quotes)
            #expect(String(decoding: bytes, as: UTF8.self) == expected)
        }
    }

    @Test(
        "A value is spelled as Prometheus reads it",
        arguments: [
            (0, "0"), (-0.0, "0"), (7, "7"), (-12, "-12"), (200, "200"), (0.1, "0.1"), (1e15, "1000000000000000"),
            (9_007_199_254_740_992, "9007199254740992"), (9_223_372_036_854_774_784, "9223372036854774784"),
            (-9_223_372_036_854_775_808, "-9223372036854775808"),
            (9, "9"), (10, "10"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
            (-Double.nan, "NaN"), (Double(nan: 5, signaling: false), "NaN"), (1.5e-9, "1.5e-09"), (1e300, "1e+300"),
        ] as [(Double, String)]
    )
    func numbers(_ value: Double, _ text: String) {
        let bytes = ExpositionRoom.written(capacity: 64) { $0.append(value: value) }
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test("An exposition that takes more room than was estimated is written again, as a whole", arguments: 60...70)
    func room(length: Int) {
        let piece = Array("0123456789".utf8)
        var calls = 0
        let bytes = ExpositionRoom.written(capacity: 1) { room in
            calls += 1
            room.append(Array("lost".utf8))
            room.shorten(to: 0)
            for index in 0..<length { room.append(piece[index % 10]) }
        }
        #expect(bytes == (0..<length).map { piece[$0 % 10] })
        #expect(calls == (length > 64 ? 2 : 1))
    }

    @Test("Bounds are floats even where they are whole")
    func bounds() throws {
        let pool = try busyPool("one")
        let labels = try page().samples.filter {
            $0.name == "http_client_pool_acquire_duration_seconds_bucket" && $0.labels["outcome"] == "failed"
        }.map { $0.labels["le"] }
        #expect(
            labels == [
                "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                "0.5",
                "1.0", "2.5", "5.0", "10.0", "30.0", "60.0", "+Inf",
            ]
        )
        withExtendedLifetime(pool) {}
    }

    @Test("Without pools the families of the process remain, and none is empty")
    func noPools() throws {
        let page = try page()
        #expect(
            Set(page.types.keys) == ["http_client_pools", "http_client_pools_created_total", "poolscope_build_info"]
        )
    }

    @Test("What a pool is built on, how it sends, and what its origins are called elsewhere are labels")
    func infos() throws {
        let other = PoolBackend(library: "async-http-client/1.37.0", tls: "BoringSSL")
        let pools = try [
            busyPool("one"), busyPool("two"),
            InstrumentedClient(FakePool(backend: other), name: "three", registry: registry),
        ]
        let fake = FakePool()
        let last = try InstrumentedClient(fake, name: "last", registry: registry)
        var turn = PoolTurn(now: .now())
        turn.newOrigins = [
            PoolTurn.NewOrigin(OriginID(index: 0), try Origin(scheme: "https", authority: "[::1]:8443"))
        ]
        fake.report(turn)
        let page = try page()
        let built = page.all("poolscope_build_info")
        #expect(built.map(\.labels) == [["version": PoolScopeVersion.current, "swift": PoolScopeVersion.compiler]])
        let backends = page.all("http_client_pool_backend_info")
        #expect(backends.map { $0.labels["library"] } == ["libcurl", "libcurl", "async-http-client", "libcurl"])
        #expect(backends.map { $0.labels["library_version"] } == ["7.88.1", "7.88.1", "1.37.0", "7.88.1"])
        #expect(backends.map { $0.labels["tls"] }[2] == "BoringSSL")
        let transport = page.all("http_client_pool_transport_info", ["pool": "last"])
        #expect(
            transport.map(\.labels)
                == [["pool": "last", "http2": "off", "proxy": "none", "decompression": "off", "tls_min": "1.2"]]
        )
        let origins = page.all("http_client_pool_origin_info", ["pool": "last"])
        #expect(
            origins.map(\.labels) == [
                [
                    "pool": "last", "origin": "https://[::1]:8443", "scheme": "https", "server_address": "::1",
                    "server_port": "8443",
                ]
            ]
        )
        withExtendedLifetime(last) {}
        withExtendedLifetime(pools) {}
    }

    @Test("What the system says about the process is plausible")
    func process() async throws {
        let reading = ProcessReading.current()
        #expect(try #require(reading.cpuSeconds) > 0)
        #expect((1 << 20...1 << 36).contains(Int(try #require(reading.residentMemoryBytes))))
        let descriptors = try #require(reading.openDescriptors)
        let most = try #require(reading.maxDescriptors)
        #expect(descriptors >= 3 && descriptors <= most)
        let start = try #require(reading.startTimeSeconds)
        let before = Date().timeIntervalSince1970
        let said = try await runProgram("ps", ["-o", "etimes=", "-p", "\(getpid())"])
        let after = Date().timeIntervalSince1970
        let elapsed = said.output.filter(\.isNumber)
        let age = try #require(Double(elapsed))
        // ps counts whole seconds, and looked at some moment in between.
        #expect(start + age >= before - 2 && start + age <= after + 1)
        #expect(ProcessReading.current().startTimeSeconds == start)
    }

    @Test("promtool finds nothing to say against it")
    func promtool() async throws {
        let pools = try [busyPool("one"), busyPool(#"nasty " \ "#)]
        let text = Exposition.text(registry.readings(), process: .current())
        let result = try await runProgram("promtool", ["check", "metrics"], input: text)
        #expect(result.output + result.errors == "")
        #expect(result.status == 0)
        withExtendedLifetime(pools) {}
    }
}
