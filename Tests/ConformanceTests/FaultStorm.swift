import CurlPool
import FaultServer
import HTTPPool
import LoopbackUpstream
import PoolMetrics
import TestSupport
import Testing

/// Two hundred callers of one pool, and servers that do to them all that a server can.
final class FaultStorm: Sendable {
    static let callers = 200

    let client: InstrumentedClient
    let account = StormAccount()
    private let steady: FaultServer
    private let restarting: FaultServer
    private let doors: [FaultServer]
    private let untrusted: UntrustedServer
    /// What the servers themselves hold open of connections to them, by port: the fillers of a backlog.
    private let heldByServers: [UInt16: Int]

    init(registry: PoolRegistry) async throws {
        client = try InstrumentedClient(CurlClient(Self.configuration), name: "storm", registry: registry)
        (steady, restarting) = (try FaultServer(), try FaultServer())
        doors = try Door.allCases.filter { $0 != .open }.map { try FaultServer($0) }
        untrusted = try await UntrustedServer.start()
        let kernel = try KernelSockets()
        let held = doors.map { ($0.port, kernel.count(.established, to: $0.port)) }
        heldByServers = Dictionary(uniqueKeysWithValues: held)
        for server in [steady, restarting] { server.gate.open() }
    }

    private static var configuration: PoolConfiguration {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 80
        configuration.limits.maxConnectionsPerOrigin = 60
        configuration.limits.maxIdleConnections = 30
        configuration.limits.maxQueuedRequests = 130
        configuration.limits.keepaliveExpiry = .milliseconds(500)
        configuration.limits.maxConnectionLifetime = .seconds(3)
        configuration.timeouts.connect = .milliseconds(200)
        configuration.timeouts.acquire = .milliseconds(300)
        configuration.timeouts.read = .milliseconds(200)
        configuration.timeouts.write = .milliseconds(200)
        configuration.timeouts.total = .milliseconds(800)
        return configuration
    }

    private var servers: [FaultServer] { [steady, restarting] + doors }

    /// Each fault by itself.
    var targets: [StormTarget] {
        Fault.unheld.map { StormTarget($0, of: steady) } + doors.map { StormTarget($0) } + [StormTarget(untrusted)]
    }

    /// All of them together, good answers the most often; half of the requests go to a server that restarts.
    var mix: Mix<StormTarget> {
        var weighted: [(weight: Int, element: StormTarget)] = []
        for server in [steady, restarting] {
            weighted += Fault.unheld.map { ($0 == .plain ? 150 : 10, StormTarget($0, of: server)) }
        }
        weighted += doors.map { (8, StormTarget($0)) }
        weighted.append((8, StormTarget(untrusted)))
        return Mix(weighted)
    }

    /// Sends for so long, and returns when every request has ended.
    func blow(_ mix: Mix<StormTarget>, for duration: Duration, seed: UInt64) async {
        let end = ContinuousClock.now + duration
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<Self.callers {
                group.addTask {
                    var random = SplitMix64(seed: seed &* 1_000 &+ UInt64(caller))
                    repeat { await self.send(mix.pick(using: &random), using: &random) } while ContinuousClock.now < end
                }
            }
        }
    }

    /// Restarts the one server again and again for so long.
    func restart(for duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(250))
            try await restarting.restart()
        }
    }

    private func send(_ target: StormTarget, using random: inout SplitMix64) async {
        let question = target.question(using: &random)
        let cancelsAfter = Int.random(in: 0..<8, using: &random) == 0 ? Int.random(in: 0..<30_000, using: &random) : nil
        account.begin()
        let task = Task { [client] in try await question.ask(client) }
        if let cancelsAfter {
            try? await Task.sleep(for: .microseconds(cancelsAfter))
            task.cancel()
        }
        do {
            let answer = try await task.value
            let isRight = question.isAnswered(by: answer)
            account.finish(isRight ? "answered" : "wrong", isWrong: !isRight)
            if !isRight, account.wrongAnswers <= 20 {
                Issue.record("\(target.name), \(question.method) \(question.token): \(answer.summary)")
            }
        } catch let error as PoolError {
            account.finish("\(error.code)", isWrong: false)
            // Who is refused at once and asks again at once would do nothing else.
            if error.code == .queueFull { try? await Task.sleep(for: .milliseconds(10)) }
        } catch {
            account.finish("cancelled", isWrong: false)
        }
    }

    // MARK: - At rest

    /// Descriptors that neither the pool's connections nor the servers' account for.
    func otherDescriptors() throws -> Int {
        let open = servers.reduce(0) { $0 + $1.openConnections }
        return try Descriptors.count() - open - client.reading().levels.connections.idle
    }

    /// The same, as soon as it stays the same: a server's account of its connections and the descriptors do not change at
    /// the same instant.
    func settledOtherDescriptors() async throws -> Int {
        var found = 0
        var times = 0
        try await eventually("the descriptors are settled") {
            let now = try otherDescriptors()
            times = now == found ? times + 1 : 0
            found = now
            return times == 50
        }
        return found
    }

    /// Waits until the pool is at rest, and the kernel and the process agree with what it shows.
    ///
    /// - Returns: the connections that it kept.
    func rest(after name: String, otherDescriptors expected: Int) async throws -> Int {
        var idle = 0
        var disagreement = ""
        try await eventually("rest after \(name): \(disagreement)", within: .seconds(30)) {
            let levels = client.reading().levels
            idle = levels.connections.idle
            disagreement = try disagreements(levels, otherDescriptors: expected)
            return disagreement.isEmpty
        }
        return idle
    }

    private func disagreements(_ levels: OriginLevels, otherDescriptors expected: Int) throws -> String {
        guard levels == OriginLevels(idle: levels.connections.idle) else { return "\(levels)" }
        let origins = client.reading().origins
        let kernel = try KernelSockets()
        for server in servers {
            let shown = origins.first { $0.label == server.origin }?.levels.connections.idle ?? 0
            let counted = kernel.count(.established, to: server.port) - (heldByServers[server.port] ?? 0)
            guard shown == counted else { return "\(shown) shown, \(counted) counted to the \(server.door) door" }
            let dead = kernel.count(.closeWait, to: server.port)
            guard dead == 0 else { return "\(dead) in CLOSE_WAIT to the \(server.door) door" }
        }
        let others = try otherDescriptors()
        return others == expected
            ? "" : "\(others) other descriptors instead of \(expected); all: \(try Descriptors.kinds())"
    }

    /// What arrived that should not have; what is right to the letter says nothing.
    func faultsOfArrival() -> [String] {
        servers.flatMap { server -> [String] in
            let ledger = server.ledger
            var faults: [String] = []
            if ledger.garbled > 0 { faults.append("\(ledger.garbled) requests arrived garbled") }
            if ledger.mostArrivals("POST") > 1 { faults.append("a POST arrived \(ledger.mostArrivals("POST")) times") }
            for method in ["GET", "HEAD", "PUT"] where ledger.mostArrivals(method) > 2 {
                faults.append("a \(method) arrived \(ledger.mostArrivals(method)) times")
            }
            return faults
        }
    }

    /// Ends the pool, then the servers.
    func end() async throws {
        await client.shutdown()
        for server in servers { try await server.stop() }
    }
}

extension Answer {
    var summary: String { "\(status), token \(token ?? "none"), \(body.count) bytes: \(preview)" }
    private var preview: String { String(decoding: body.prefix(60), as: UTF8.self) }
}
