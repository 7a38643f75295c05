import Foundation
import Glibc
import Synchronization

/// Passes bytes between its clients and a port of loopback, until the test has it lose them: a path that dies without a word,
/// as behind a NAT that has forgotten a connection.
package final class Relay: Sendable {
    /// One client's connection and the one that was opened for it.
    private final class Link: Sendable {
        let client: Int32
        let server: Int32
        private let state = Mutex((isSilent: false, running: 2))

        init(client: Int32, server: Int32) { (self.client, self.server) = (client, server) }

        var isSilent: Bool { state.withLock { $0.isSilent } }

        func silence() { state.withLock { $0.isSilent = true } }

        /// Copies one way until that ends, and closes both descriptors when the other way has ended too.
        func pass(from source: Int32, to target: Int32) {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = recv(source, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                // What is lost is taken all the same: the sender sees its bytes acknowledged.
                guard !isSilent else { continue }
                var rest = buffer[..<count]
                while !rest.isEmpty {
                    let sent = rest.withUnsafeBytes { send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                    guard sent > 0 else { break }
                    rest = rest.dropFirst(sent)
                }
            }
            if !isSilent { shutdown(target, Int32(SHUT_WR)) }
            let isLast = state.withLock { state in
                state.running -= 1
                return state.running == 0
            }
            guard isLast else {
                // A lost path does not tell the other side; but this one has nobody left to wait for.
                if isSilent { shutdown(target, Int32(SHUT_RDWR)) }
                return
            }
            close(client)
            close(server)
        }
    }

    package let port: UInt16
    private let listener: Int32
    private let links = Mutex<[Link]>([])

    /// The relay is for a server of the name that certificates are for.
    package var authority: String { "localhost:\(port)" }
    /// How many connections were accepted.
    package var connections: Int { links.withLock { $0.count } }

    /// Relays to a port of loopback.
    package init(to target: UInt16) throws {
        listener = try ScriptedPeer.listen(backlog: 128)
        port = ScriptedPeer.port(of: listener)
        Thread.detachNewThread { [listener, weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else {
                    if client >= 0 { close(client) }
                    break
                }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                self.relay(client, to: target)
            }
            close(listener)
        }
    }

    // This wakes the thread that waits in accept.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Loses whatever is sent on the present connections from now on, either way. New ones work.
    package func silence() { links.withLock { $0.forEach { $0.silence() } } }

    private func relay(_ client: Int32, to target: UInt16) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard server >= 0, withLoopback(port: target, { connect(server, $0, $1) }) == 0 else {
            close(client)
            if server >= 0 { close(server) }
            return
        }
        let link = Link(client: client, server: server)
        links.withLock { $0.append(link) }
        Thread.detachNewThread { link.pass(from: client, to: server) }
        Thread.detachNewThread { link.pass(from: server, to: client) }
    }
}
