import HTTPPool
import Logging
import NIOHTTP1
import PoolMetrics
import ServiceLifecycle
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("The endpoint's life")
struct EndpointLifeTests {
    private func endpoint(
        host: String = "127.0.0.1",
        port: Int = 0,
        lines: LogLines = LogLines(),
        registry: PoolRegistry = PoolRegistry()
    ) -> MetricsEndpoint {
        MetricsEndpoint(
            EndpointConfiguration(host: host, port: port),
            registry: registry,
            logger: lines.logger()
        )
    }

    @Test("a library that was not tested is logged once and shown on the page")
    func caution() async throws {
        let (lines, registry) = (LogLines(), PoolRegistry())
        let caution = "libcurl 9.0.0 was not tested; 7.88.1 to 8.21.0 were"
        let backend = PoolBackend(library: "libcurl/9.0.0", tls: "none", caution: caution)
        let clients = try ["one", "two"].map {
            try InstrumentedClient(FakePool(backend: backend), name: $0, registry: registry)
        }
        let endpoint = endpoint(lines: lines, registry: registry)
        try await endpoint.start()
        try await endpoint.start()
        #expect(lines.descriptions.filter { $0.hasPrefix("warning \(caution)") }.count == 1)
        let page = try await curl("http://127.0.0.1:\(endpoint.port ?? 0)/").output
        #expect(page.contains("WARNING") && page.contains("libcurl 9.0.0 was not tested"), "\(page)")
        withExtendedLifetime(clients) {}
        await endpoint.stop()
    }

    @Test("port 0 picks one, and the log and the property say which, once")
    func pickedPort() async throws {
        let lines = LogLines()
        let endpoint = endpoint(lines: lines)
        #expect(endpoint.port == nil)
        let address = try await endpoint.start()
        #expect(address.port > 0 && endpoint.port == address.port)
        #expect(try await endpoint.start() == address)
        let said = lines.descriptions.filter { $0.hasPrefix("info") }
        #expect(said.count == 1 && said.allSatisfy { $0.contains("127.0.0.1:\(address.port)") }, "\(said)")
        await endpoint.stop()
        await endpoint.stop()
        #expect(endpoint.port == nil)
    }

    @Test("a stopped endpoint has closed its port, and starts again")
    func stopAndStart() async throws {
        let endpoint = endpoint()
        let first = try await endpoint.start()
        await endpoint.stop()
        #expect(try await curl("http://\(first)/-/healthy").status == 7)
        let second = try await endpoint.start()
        #expect(try await curl("http://\(second)/-/healthy").output == "ok\n")
        await endpoint.stop()
    }

    @Test("a taken port is an error of one line that names host, port and variable")
    func takenPort() async throws {
        let first = endpoint()
        let address = try await first.start()
        let second = endpoint(port: address.port)
        let error = try await #require(throws: EndpointError.self) { try await second.start() }
        #expect(error.code == .portTaken)
        let place = "the metrics endpoint cannot listen on 127.0.0.1:\(address.port)"
        let cure = "set endpoint.port to a free one, or to 0 to have one picked"
        #expect(error.description == "\(place): the port is in use; \(cure)")
        #expect(second.port == nil)
        await first.stop()
        // What failed can be tried again.
        #expect(try await second.start() == address)
        await second.stop()
    }

    @Test("a host that does not resolve is an error that names it and its variable")
    func unknownHost() async throws {
        let error = try await #require(throws: EndpointError.self) {
            try await endpoint(host: "nowhere.invalid").start()
        }
        #expect(error.code == .unknownHost)
        #expect(error.description.contains("nowhere.invalid:0"))
        #expect(error.description.contains("set endpoint.host to "))
        #expect(!error.description.contains("\n"))
    }

    @Test("an address of another machine is an error that says so")
    func foreignHost() async throws {
        // 192.0.2.0/24 is kept for documentation, no machine has such an address.
        let error = try await #require(throws: EndpointError.self) { try await endpoint(host: "192.0.2.1").start() }
        #expect(error.code == .hostNotHere)
        #expect(error.description.contains("set endpoint.host to "))
    }

    @Test("values that code set wrongly are the same error as those of the environment")
    func wrongValues() async throws {
        let error = try await #require(throws: (any Error).self) { try await endpoint(port: 70_000).start() }
        #expect(
            "\(error)"
                == "endpoint.port is \"70000\"; allowed: a whole number from 0 to 65535; 0 picks a free port"
        )
    }

    @Test("run() serves until the service group shuts down gracefully")
    func service() async throws {
        let endpoint = endpoint()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [ServiceGroupConfiguration.ServiceConfiguration(service: endpoint)],
                logger: Logger(label: "group", factory: { _ in SwiftLogNoOpLogHandler() })
            )
        )
        let address = try await endpoint.start()
        async let running: Void = group.run()
        #expect(try await curl("http://\(address)/-/healthy").output == "ok\n")
        await group.triggerGracefulShutdown()
        try await running
        #expect(endpoint.port == nil)
        #expect(try await curl("http://\(address)/-/healthy").status == 7)
    }

    /// A service of the user that takes its time to end.
    private struct SlowService: Service {
        let isToEnd: AsyncStream<Void>

        func run() async {
            try? await gracefulShutdown()
            for await _ in isToEnd {}
        }
    }

    @Test("/-/ready is 503 from the beginning of the shutdown, while other services and the pool go on")
    func shutdownNotice() async throws {
        let registry = PoolRegistry()
        let pool = try MeasuredPool(
            PoolRecorder(backend: PoolBackend(library: "client/1.0", tls: "none")),
            name: "shared",
            registry: registry
        )
        let logger = Logger(label: "group", factory: { _ in SwiftLogNoOpLogHandler() })
        let endpoint = MetricsEndpoint(
            EndpointConfiguration(host: "127.0.0.1", port: 0),
            registry: registry,
            logger: logger
        )
        let address = try await endpoint.start()
        func ready() async throws -> String {
            try await curl("-w", "%{http_code}", "http://\(address)/-/ready").output
        }
        let (isToEnd, end) = AsyncStream<Void>.makeStream()
        let services: [any Service] = [endpoint, SlowService(isToEnd: isToEnd), endpoint.shutdownNotice]
        let group = ServiceGroup(services: services, logger: logger)
        async let running: Void = group.run()
        #expect(try await ready() == "ready\n200")
        await group.triggerGracefulShutdown()
        try await eventually("a probe is refused") {
            try await ready() == "not ready: the process is shutting down\n503"
        }
        end.finish()
        try await running
        #expect(endpoint.port == nil)
        withExtendedLifetime(pool) {}
    }

    @Test("Clients that are made for each request, and end with it, leave the process ready")
    func readyWithClientPerRequest() async throws {
        let registry = PoolRegistry()
        let routes = EndpointRoutes(registry: registry)
        for number in 0..<30 {
            let pool = try MeasuredPool(
                PoolRecorder(backend: PoolBackend(library: "client/1.0", tls: "none")),
                name: "per-request-\(number)",
                registry: registry
            )
            if number == 0 { #expect(routes.response(method: .GET, path: "/-/ready").status == .ok) }
            await pool.shutdown()
            let isReady = routes.response(method: .GET, path: "/-/ready").status == .ok
            // The end of one of few pools is that of the process.
            if number < 20 { #expect(!isReady) } else { #expect(isReady) }
        }
    }

    @Test("run() ends when its task is cancelled")
    func cancelled() async throws {
        let endpoint = endpoint()
        try await endpoint.start()
        let task = Task { try await endpoint.run() }
        task.cancel()
        try await task.value
        #expect(endpoint.port == nil)
    }
}
