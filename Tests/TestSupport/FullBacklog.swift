import Glibc

/// A port to which no connection is ever made and none is refused: it listens, its backlog is full, and the kernel
/// drops every further attempt.
package final class FullBacklog: Sendable {
    package let port: UInt16
    private let descriptors: [Int32]

    /// - Parameter loopback: the last number of the address, 127.0.0.1 unless it is another.
    package init(port: UInt16 = 0, loopback: UInt8 = 1) throws {
        let listener = try ScriptedPeer.listen(backlog: 0, port: port, loopback: loopback)
        self.port = ScriptedPeer.port(of: listener)
        // One waits to be accepted for ever, the other for the first to be.
        let fillers = (0..<2).map { [port = self.port] _ in
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            withLoopback(loopback, port: port) { _ = connect(filler, $0, $1) }
            return filler
        }
        descriptors = fillers + [listener]
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
