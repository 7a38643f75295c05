import Glibc
import Synchronization
package import TestSupport

/// A server on a port of loopback that goes wrong in the way that is asked for: with the connection (``Door``), or with
/// a request (``Fault``).
///
///     let server = try FaultServer()
///     // GET http://\(server.authority)/resetInBody
///     server.ledger.arrivals("GET", "/resetInBody")
///
/// It keeps its port while it is stopped. Each connection has a thread of its own.
package final class FaultServer: Sendable {
    package let door: Door
    package let port: UInt16
    /// What arrived.
    package let ledger = Ledger()
    /// Holds back the answers that ask for it.
    package let gate = Gate()
    private let reservation: RefusingPort
    private let peer: Mutex<ScriptedPeer?> = Mutex(nil)
    private let backlog: FullBacklog?

    /// Starts a server.
    package init(_ door: Door = .open) throws {
        self.door = door
        reservation = try RefusingPort()
        port = reservation.port
        backlog = door == .full ? try FullBacklog(port: port) : nil
        try start()
    }

    package var authority: String { "127.0.0.1:\(port)" }
    package var origin: String { "\(door.scheme)://\(authority)" }

    /// Connections that are open on this side.
    package var openConnections: Int { peer.withLock { $0?.openConnections ?? 0 } }
    /// Connections that were accepted since the last start.
    package var acceptedConnections: Int { peer.withLock { $0?.connections ?? 0 } }

    /// Listens again, after ``stop()``.
    package func start() throws {
        guard door != .full, door != .refusing else { return }
        let started = try ScriptedPeer(port: port) { [door, ledger, gate] connection, _ in
            try door.receive(connection, ledger: ledger, gate: gate)
        }
        peer.withLock { $0 = started }
    }

    /// Stops listening and ends every connection, whatever it is at. The gate is open from then on.
    package func stop() async throws {
        gate.open()
        try await peer.withLock { $0.take() }?.stop()
    }

    /// Stops, and starts again on the same port.
    package func restart() async throws {
        try await stop()
        try start()
    }
}
