import CurlPool
import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What a pool does with more than it is usually given. It has a test run of its own (see the Makefile): memory is that of
/// the whole process, and the many connections want their descriptors.
@Suite("Scale", .serialized)
struct ScaleTests {
    private static func request(_ nginx: Nginx, _ path: String) -> HTTPRequest {
        HTTPRequest(method: .get, scheme: "http", authority: nginx.authority, path: path)
    }

    @Test("A body of 1 GiB goes through a reader that stalls in less than 64 MiB")
    func largeBody() async throws {
        let folder = try TemporaryFolder()
        let bytes = 1 << 30
        try folder.makeFile("big", bytes: bytes)
        let nginx = try await Nginx.start(locations: "location = /big { root \(folder.path); }")
        let client = try InstrumentedClient(CurlClient(), name: "big", registry: PoolRegistry())
        let before = try ResidentMemory.now()
        try ResidentMemory.forgetPeak()
        let response = try await client.execute(Self.request(nginx, "/big"))
        var taken = 0
        var stalls = 0
        for try await chunk in response.body {
            taken += chunk.count
            guard taken >= stalls << 28, taken < bytes else { continue }
            // The reader looks away for as long as it takes to fill everything on the way.
            stalls += 1
            #expect(client.reading().levels.requests.inFlight == 1)
            try await Task.sleep(for: .milliseconds(300))
        }
        #expect(taken == bytes)
        #expect(stalls == 4)
        let peak = try ResidentMemory.peak()
        #expect(peak - before < 64 << 20, "\((peak - before) >> 20) MiB")
        #expect(client.reading().levels.connections.idle == 1)
        await client.shutdown()
    }

    @Test("5,000 connections are in use and 50,000 requests wait, and all of it ends as it should")
    func manyConnections() async throws {
        try raiseDescriptorLimit(to: 12_000)
        let folder = try TemporaryFolder()
        try folder.makeFile("held", bytes: 1 << 20)
        let nginx = try await Nginx.start(
            locations: "location = /held { limit_rate 1; root \(folder.path); }",
            connections: 8_192
        )
        let (connections, queued) = (5_000, 50_000)
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = connections
        configuration.timeouts.acquire = nil
        configuration.timeouts.read = nil
        configuration.timeouts.connect = .seconds(120)
        let client = try InstrumentedClient(CurlClient(configuration), name: "many", registry: PoolRegistry())
        let tasks = (0..<connections + queued).map { _ in
            Task { try await client.execute(Self.request(nginx, "/held")).body.collect() }
        }
        try await eventually("all are where they belong", within: .seconds(180)) {
            let levels = client.reading().levels
            return levels.requests.inFlight == connections && levels.requests.queued == queued
        }
        let levels = client.reading().levels
        #expect(levels.connections.active == connections)
        #expect(try KernelSockets().count(.established, to: nginx.port) == connections)
        // Half of those that wait give up, then those that run: everyone behind moves up.
        for task in tasks.dropFirst(connections + queued / 2) { task.cancel() }
        try await eventually("half of the queue is gone", within: .seconds(180)) {
            client.reading().levels.requests.queued == queued / 2
        }
        #expect(client.reading().levels.connections.active == connections)
        await client.shutdown(.immediate)
        var (cancelled, refused) = (0, 0)
        for task in tasks {
            do {
                _ = try await task.value
            } catch is CancellationError {
                cancelled += 1
            } catch let error as PoolError where error.code == .shutdown {
                refused += 1
            }
        }
        #expect(cancelled == queued / 2)
        #expect(refused == connections + queued / 2)
        #expect(client.reading().levels == OriginLevels())
        #expect(try KernelSockets().count(to: nginx.port) == 0)
    }

    private func raiseDescriptorLimit(to wanted: rlim_t) throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        limit.rlim_max = max(limit.rlim_max, wanted)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw TestFailure("the machine allows fewer than \(wanted) descriptors")
        }
    }
}

/// A folder that goes with the test, and that nginx's worker may read.
private final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
        chmod(path, 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A file of zeros, which takes no room on the disk.
    func makeFile(_ name: String, bytes: Int) throws {
        guard FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil),
            truncate("\(path)/\(name)", bytes) == 0
        else { throw TestFailure("no file: errno \(errno)") }
    }
}

/// The memory of this process, as the kernel counts it, in bytes.
private enum ResidentMemory {
    static func now() throws -> Int { try status("VmRSS:") }
    static func peak() throws -> Int { try status("VmHWM:") }
    static func forgetPeak() throws { try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs")) }

    private static func status(_ name: String) throws -> Int {
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: "/proc/self/status")), as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            if let kibibytes = line.split(whereSeparator: \.isWhitespace).compactMap({ Int($0) }).first {
                return kibibytes << 10
            }
        }
        throw TestFailure("the kernel says nothing of \(name)")
    }
}
