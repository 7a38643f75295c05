import CurlPool
import Foundation
import Glibc
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

/// TCP's own keep-alive, for streams that are silent behind a NAT (RFC 9293, 3.8.4; curl asks after 60 s, Go after 15).
@Suite("TCP keep-alive")
struct KeepAliveProbeTests {
    @Test("is on unless the setting says otherwise", arguments: [Duration.seconds(60), Duration.seconds(7), nil])
    func isOn(setting: Duration?) async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("peer") }
        }
        try await withMeasuredPool {
            if setting != .seconds(60) { $0.transport.tcpKeepAlive = setting }
        } _: { client async throws in
            #expect(try await client.fetch(.to(peer.authority)).text == "peer")
            let descriptor = try #require(try Self.descriptors(to: peer.port).first)
            #expect(Self.option(SOL_SOCKET, SO_KEEPALIVE, of: descriptor) == (setting == nil ? 0 : 1))
            if let seconds = setting?.components.seconds {
                #expect(Self.option(Int32(IPPROTO_TCP), TCP_KEEPIDLE, of: descriptor) == Int32(seconds))
                #expect(Self.option(Int32(IPPROTO_TCP), TCP_KEEPINTVL, of: descriptor) == Int32(seconds))
            }
        }
        try await peer.stop()
    }

    /// The descriptors of this process whose sockets lead to a port on loopback.
    private static func descriptors(to port: UInt16) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }.filter { fd in
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(fd, $0, &length) }
            }
            return code == 0 && Int32(address.sin_family) == AF_INET && UInt16(bigEndian: address.sin_port) == port
        }
    }

    private static func option(_ level: Int32, _ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, level, name, &value, &length) == 0 ? value : nil
    }
}
