import Glibc

/// A port of loopback that refuses every connection. It is held, so that it is lent to nobody else meanwhile.
package final class RefusingPort: Sendable {
    package let port: UInt16
    package var authority: String { "127.0.0.1:\(port)" }
    private let descriptor: Int32

    /// Takes any free port where none is named.
    ///
    /// - Parameter loopback: the last number of its address, 127.0.0.1 unless it is another.
    package init(port: UInt16 = 0, loopback: UInt8 = 1) throws {
        descriptor = try ScriptedPeer.bind(port: port, loopback: loopback)
        self.port = ScriptedPeer.port(of: descriptor)
    }

    deinit { close(descriptor) }
}
