import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import Logging
import PoolEndpoint
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// The worst hour of a service: its pool's thread does not come back, 50,000 requests are queued, every thread of Swift's
/// concurrency is blocked, and the last file descriptor is taken.
@Suite("Every page when nothing else responds", .serialized)
struct EveryPageTests {
    private static let queued = 50_000

    /// The pages, with what each must say then.
    private static let pages: [(path: String, words: String)] = [
        ("/", "STALLED for "), ("/pools/shared", "POOL shared: STALLED for "), ("/leases", "LEASES: 1 request holds"),
        ("/queue", "QUEUE: 50,000 requests"), ("/events", "EVENTS: "), ("/config", "CONFIG: "),
        ("/metrics", "http_client_pool_driver_stall_seconds{pool=\"shared\"} "), ("/-/healthy", "ok\n"),
        ("/-/ready", "ready\n"), ("/?format=html", "<title>"), ("/queue?format=json", "\"total\" : 50000"),
    ]

    /// What blocks the threads of Swift's concurrency.
    private final class Jam: Sendable {
        let gate = DispatchSemaphore(value: 0)
        let blocked = Atomic<Int>(0)
        /// Set by a task that could only run if a thread were free.
        let aThreadWasFree = Atomic<Bool>(false)

        func blockThisThread() {
            blocked.add(1, ordering: .relaxed)
            gate.wait()
        }
    }

    @Test("is served, and says what is wrong")
    func served() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {}
        }
        let registry = PoolRegistry()
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 1
        configuration.timeouts.acquire = nil
        configuration.timeouts.read = nil
        let client = try InstrumentedClient(CurlClient(configuration), name: "shared", registry: registry)
        let endpoint = MetricsEndpoint(
            EndpointConfiguration(host: "127.0.0.1", port: 0),
            registry: registry,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let address = try await endpoint.start()
        let request = HTTPRequest(method: .get, scheme: "http", authority: peer.authority, path: "/")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.queued + 1 {
                group.addTask {
                    _ = try? await client.execute(request, body: .none, options: RequestOptions(site: "export"))
                }
            }
            try await eventually("one is in flight, all others are queued") {
                let levels = client.reading().levels.requests
                return levels.inFlight == 1 && levels.queued == Self.queued
            }
            let turn = Gate()
            let stall = Task(executorPreference: client.pool.executor) { try turn.wait() }
            try await eventually("the pool's thread is stalled") { (client.reading().driverStallSeconds ?? 0) >= 1 }

            let responses = try await responses(port: address.port)
            turn.open()
            try await stall.value
            await client.shutdown(.immediate)
            try await group.waitForAll()

            for (page, response) in zip(Self.pages, responses) {
                #expect(response.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(page.path): \(response.prefix(300))")
                #expect(response.contains(page.words), "\(page.path): \(response.prefix(3_000))")
            }
        }
        // What could not be read without a descriptor is read afterwards.
        #expect(ProcessReading.current().startTimeSeconds != nil)
        await endpoint.stop()
        try await peer.stop()
    }

    /// Asks for every page while every thread is blocked and no descriptor is left, each on a connection of its own.
    private func responses(port: Int) async throws -> [String] {
        let threads = ProcessInfo.processInfo.activeProcessorCount
        let jam = Jam()
        // Their descriptors are there before; so is all that the runtime wants.
        let clients = try Self.pages.map { _ in try LateConnection() }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            async let asked = onThread {
                defer { for _ in 0..<4 * threads { jam.gate.signal() } }
                try waitOnThread("every thread is blocked", within: .seconds(10)) {
                    jam.blocked.load(ordering: .relaxed) >= threads
                }
                Task { jam.aThreadWasFree.store(true, ordering: .relaxed) }
                let squeeze = try DescriptorSqueeze(free: 4)
                squeeze.takeAll()
                defer { squeeze.end() }
                let responses = try zip(Self.pages, clients).map { page, client in
                    try client.connect(to: port)
                    try client.send("GET \(page.path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    return try client.readToEnd()
                }
                return (responses: responses, wasAThreadFree: jam.aThreadWasFree.load(ordering: .relaxed))
            }
            for _ in 0..<4 * threads { group.addTask { jam.blockThisThread() } }
            let (responses, wasAThreadFree) = try await asked
            try await group.waitForAll()
            #expect(!wasAThreadFree, "so nothing was shown")
            return responses
        }
    }
}
