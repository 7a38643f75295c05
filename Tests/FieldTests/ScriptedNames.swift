import CurlPool
import Glibc
import HTTPPool
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// A resolver whose names a test makes up, and changes.
final class ScriptedNames: Sendable {
    private struct State {
        var results: [String: NameResult] = [:]
        var asked: [String] = []
        var isRunning = 0
        var mostRunning = 0
    }
    private let state = Mutex(State())
    private let gate: Gate?

    /// - Parameter gate: what a look-up has to pass before it knows anything.
    init(_ addresses: [String: [String]] = [:], behind gate: Gate? = nil) {
        self.gate = gate
        for (name, addresses) in addresses { self[name] = .success(addresses) }
    }

    var resolver: Resolver { Resolver { self.lookUp($0) } }

    subscript(name: String) -> NameResult {
        get { state.withLock { $0.results[name] ?? .failure(.unknown) } }
        set { state.withLock { $0.results[name] = newValue } }
    }

    /// The names that were looked up, one after the other.
    var asked: [String] { state.withLock { $0.asked } }
    /// Look-ups that are under way, and the most that ever were.
    var running: Int { state.withLock { $0.isRunning } }
    var mostRunning: Int { state.withLock { $0.mostRunning } }

    private func lookUp(_ name: String) -> NameResult {
        state.withLock { state in
            state.asked.append(name)
            state.isRunning += 1
            state.mostRunning = max(state.mostRunning, state.isRunning)
        }
        // Whoever waits for a gate that is never opened gets no address.
        let isThrough = gate.map { (try? $0.wait()) != nil } ?? true
        return state.withLock { state in
            state.isRunning -= 1
            return isThrough ? state.results[name] ?? .failure(.unknown) : .failure(.unknown)
        }
    }
}

/// A measured pool whose names are looked up by a test's own resolver.
func withMeasuredPool(
    names: ScriptedNames,
    _ change: (inout PoolConfiguration) -> Void = { _ in },
    _ body: (InstrumentedClient) async throws -> Void
) async throws {
    try await withMeasuredPool(
        { configuration in
            // As if it were the only limit: what is slow here is the name or the address.
            configuration.timeouts.acquire = .seconds(60)
            change(&configuration)
        },
        resolver: names.resolver
    ) { client in
        try await body(client)
        #expect(client.reading().levels.connections.connecting == 0)
    }
}

/// A port on several addresses of loopback, that all peers of one name share.
struct SharedPort {
    let number: UInt16

    /// Any that is free on them all.
    init() throws {
        let probe = try ScriptedPeer.bind()
        defer { close(probe) }
        number = ScriptedPeer.port(of: probe)
    }

    /// A peer that says which it is, and closes after each response where the test says so.
    func peer(_ loopback: UInt8, says text: String, closes: Bool = false) throws -> ScriptedPeer {
        try ScriptedPeer(port: number, loopback: loopback) { connection, _ in
            while let request = try connection.readRequest() {
                let host = request.head.split(separator: "\r\n").first { $0.hasPrefix("Host: ") } ?? "no host"
                let line = request.head.split(separator: "\r\n").first ?? "no line"
                connection.answer(
                    "\(text)|\(host.dropFirst(6))|\(line)",
                    headers: closes ? "Connection: close\r\n" : ""
                )
                if closes { return }
            }
        }
    }

    /// What swallows every attempt to connect.
    func blackHole(_ loopback: UInt8) throws -> FullBacklog { try FullBacklog(port: number, loopback: loopback) }

    /// Holds the port so that it refuses, whoever else looks for a free one.
    func refusing(_ loopback: UInt8) throws -> RefusingPort {
        try RefusingPort(port: number, loopback: loopback)
    }
}
