internal import ArgumentParser
internal import CMalloc
internal import CurlPool
internal import Foundation
internal import HTTPPool
internal import Load
internal import PoolMetrics
internal import PoolPeer
private import Synchronization

/// What an idle connection and a queued request take of memory, and what a task alone takes that only waits.
struct MemoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "memory", abstract: "Measure what is held.")

    enum Subject: String, ExpressibleByArgument, CaseIterable {
        /// Idle connections of the instrumented pool.
        case connections
        /// Requests in its queue.
        case queued
        /// Tasks that wait as those of the requests do, without a pool.
        case tasks
    }

    @Argument(help: "What is held.") var subject: Subject
    @Option(help: "How many are held.") var count: Int
    @Option(help: "What to GET to warm up.") var url: String
    @Option(help: "What to GET on each connection; it answers when all that are to be held have asked.")
    var assembly: String?

    func run() async throws {
        ProcessUsage.raiseDescriptorLimit()
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = count + Self.warmConnections
        configuration.limits.maxIdleConnections = count + Self.warmConnections
        if subject == .queued { configuration.limits.maxConnectionsPerOrigin = Self.warmConnections }
        configuration.limits.keepaliveExpiry = nil
        configuration.timeouts.acquire = nil
        configuration.timeouts.read = nil
        let client = try InstrumentedClient(CurlClient(configuration))
        let plan = LoadPlan(concurrency: Self.warmConnections, requests: 1000, warmup: 0, bytes: 200)
        _ = try await plan.measure(PoolPeer(url: url, client: client), named: "warm-up")
        let report =
            switch subject {
            case .connections: try await connections(of: client)
            case .queued: try await queued(in: client)
            case .tasks: await tasks()
            }
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
        await client.shutdown(.immediate)
    }

    private static let warmConnections = 16

    private func connections(of client: InstrumentedClient) async throws -> MemoryReport {
        let request = try PoolRequest(assembly ?? url)
        let before = Held.now()
        let idle = client.reading().levels.connections.idle
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count { group.addTask { _ = try await client.execute(request.http) } }
            try await group.waitForAll()
        }
        try await settled { client.reading().levels.connections.idle == idle + count }
        // Then they give up what only the next request would need: after one second, which is looked at once in a second.
        try await Task.sleep(for: .seconds(2.5))
        return MemoryReport(count: count, from: before, to: .now())
    }

    private func queued(in client: InstrumentedClient) async throws -> MemoryReport {
        let request = try PoolRequest("http://127.0.0.1:\(SilentListener().port)/")
        return try await withThrowingTaskGroup(of: Void.self) { group in
            // These take the connections. They and the ones behind them end with the pool, in an error.
            for _ in 0..<Self.warmConnections { group.addTask { _ = try? await client.execute(request.http) } }
            try await settled { client.reading().levels.requests.inFlight == Self.warmConnections }
            let before = Held.now()
            for _ in 0..<count { group.addTask { _ = try? await client.execute(request.http) } }
            try await settled { client.reading().levels.requests.queued == count }
            let report = MemoryReport(count: count, from: before, to: .now())
            await client.shutdown(.immediate)
            return report
        }
    }

    private func tasks() async -> MemoryReport {
        let parked = ParkedTasks()
        return await withTaskGroup(of: Void.self) { group in
            let before = Held.now()
            for _ in 0..<count {
                group.addTask { await parked.park() }
            }
            // Asked again until all wait.
            while parked.count < count { try? await Task.sleep(for: .milliseconds(10)) }
            let report = MemoryReport(count: count, from: before, to: .now())
            parked.resumeAll()
            return report
        }
    }

    private func settled(_ holds: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !holds() {
            guard ContinuousClock.now < deadline else { throw NeverStood(held: count) }
            // Only the pause between two looks.
            try await Task.sleep(for: .milliseconds(10))
        }
        // The pool's thread lets go of what it took when it goes to sleep.
        try await Task.sleep(for: .milliseconds(100))
    }
}

/// Tasks that wait for nothing but to be resumed.
private final class ParkedTasks: Sendable {
    private let continuations = Mutex<[UnsafeContinuation<Void, Never>]>([])

    var count: Int { continuations.withLock { $0.count } }

    func park() async {
        await withUnsafeContinuation { continuation in continuations.withLock { $0.append(continuation) } }
    }

    func resumeAll() {
        for continuation in continuations.withLock({ $0 }) { continuation.resume() }
    }
}

/// The memory that the process has at a moment, after what is free was given back to the system.
private struct Held {
    let resident: Double
    let allocated: Int

    static func now() -> Held {
        malloc_trim(0)
        let heap = mallinfo2()
        return Held(resident: ProcessReading.current().residentMemoryBytes ?? 0, allocated: heap.uordblks + heap.hblkhd)
    }
}

/// What was held, as the program in C prints it too.
private struct MemoryReport: Encodable {
    let count: Int
    /// How much more is resident, for each that is held.
    let residentBytes: Double
    /// How much more is allocated, for each that is held.
    let allocatedBytes: Double

    enum CodingKeys: String, CodingKey {
        case count
        case residentBytes = "resident_bytes"
        case allocatedBytes = "allocated_bytes"
    }

    init(count: Int, from before: Held, to after: Held) {
        self.count = count
        residentBytes = (after.resident - before.resident) / Double(count)
        allocatedBytes = Double(after.allocated - before.allocated) / Double(count)
    }
}
