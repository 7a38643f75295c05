import Foundation
import Glibc
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("Where the endpoint listens, really")
struct ListeningTests {
    private func endpoint(
        _ configuration: EndpointConfiguration,
        lines: LogLines = LogLines()
    ) -> MetricsEndpoint {
        MetricsEndpoint(
            configuration,
            registry: PoolRegistry(),
            logger: lines.logger()
        )
    }

    private func withSocketPath(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.appendingPathComponent("metrics.sock").path)
    }

    private func configuration(_ path: String) -> EndpointConfiguration {
        var configuration = EndpointConfiguration(host: "127.0.0.1", port: 0)
        configuration.unixSocket = path
        return configuration
    }

    @Test("on several addresses, all with the port that was picked for the first")
    func several() async throws {
        let endpoint = endpoint(EndpointConfiguration(host: "127.0.0.1, 127.0.0.2,::1", port: 0))
        try await endpoint.start()
        let addresses = endpoint.addresses
        #expect(addresses.map(\.host) == ["127.0.0.1", "127.0.0.2", "::1"])
        #expect(Set(addresses.map(\.port)).count == 1)
        for address in addresses { #expect(try await curl("http://\(address)/-/healthy").output == "ok\n") }
        await endpoint.stop()
        #expect(endpoint.addresses.isEmpty)
    }

    @Test("on all addresses or on none")
    func allOrNone() async throws {
        let other = endpoint(EndpointConfiguration(host: "127.0.0.2", port: 0))
        let taken = try await other.start()
        let endpoint = endpoint(EndpointConfiguration(host: "127.0.0.1,127.0.0.2", port: taken.port))
        let error = try await #require(throws: EndpointError.self) { try await endpoint.start() }
        #expect(error.code == .portTaken && error.description.contains("127.0.0.2:\(taken.port)"))
        #expect(try await curl("http://127.0.0.1:\(taken.port)/").status == 7)
        await other.stop()
    }

    @Test("an address that others can reach is logged as a warning, and serves every host; loopback is neither")
    func openToOthers() async throws {
        for (host, isWarned) in [("0.0.0.0", true), ("127.0.0.1", false), ("::1", false), ("localhost", false)] {
            let lines = LogLines()
            let endpoint = endpoint(EndpointConfiguration(host: host, port: 0), lines: lines)
            let address = try await endpoint.start()
            let warnings = lines.descriptions.filter { $0.hasPrefix("warning") && $0.contains("other machines") }
            #expect(warnings.count == (isWarned ? 1 : 0), "\(host): \(warnings)")
            let status = try await curl(
                "-H",
                "Host: example.com",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                "http://\(address)/-/healthy"
            ).output
            #expect(status == (isWarned ? "200" : "421"), "\(host)")
            await endpoint.stop()
        }
    }

    @Test("on a Unix domain socket for its own user, which is removed at the end")
    func unixSocket() async throws {
        try await withSocketPath { path in
            let endpoint = endpoint(configuration(path))
            try await endpoint.start()
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            // No browser asks there, so every host is served.
            let reply = try await curl("--unix-socket", path, "http://example.com/-/healthy")
            #expect(reply.output == "ok\n")
            await endpoint.stop()
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test("a socket that a dead process left is replaced, one that is listened on is not, and neither is a file")
    func stale() async throws {
        try await withSocketPath { path in
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            #expect(SocketFile.withAddress(path) { bind(descriptor, $0, $1) } == 0)
            close(descriptor)
            let first = endpoint(configuration(path))
            try await first.start()
            #expect(try await curl("--unix-socket", path, "http://localhost/-/healthy").output == "ok\n")

            let second = endpoint(configuration(path))
            let error = try await #require(throws: EndpointError.self) { try await second.start() }
            #expect(error.code == .socketTaken)
            let cure = "another process listens on it; set endpoint.unixSocket to another path"
            #expect(error.description == "the metrics endpoint cannot listen on \(path): \(cure)")
            #expect(try await curl("--unix-socket", path, "http://localhost/-/healthy").output == "ok\n")
            await first.stop()

            try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
            let third = try await #require(throws: EndpointError.self) { try await second.start() }
            #expect(third.code == .socketNotAllowed && third.description.contains("the file is not a socket"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        }
    }

    @Test("a socket that another process has put in its place is left alone at the end")
    func replaced() async throws {
        try await withSocketPath { path in
            let first = endpoint(configuration(path))
            try await first.start()
            try FileManager.default.removeItem(atPath: path)
            let second = endpoint(configuration(path))
            try await second.start()
            await first.stop()
            #expect(try await curl("--unix-socket", path, "http://localhost/-/healthy").output == "ok\n")
            await second.stop()
        }
    }

    @Test("neither the listeners nor the connections are inherited by programs that the process starts")
    func inherited() async throws {
        try await withSocketPath { path in
            let endpoint = endpoint(configuration(path))
            let address = try await endpoint.start()
            try await onThread {
                let held = try RawConnection(port: address.port)
                try held.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
                _ = try held.read { $0.hasSuffix("ok\n") }
                var marked = 0
                for descriptor in 3..<Int32(1024) {
                    var (port, length) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
                    let status = withUnsafeMutablePointer(to: &port) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            getsockname(descriptor, $0, &length)
                        }
                    }
                    var (listens, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
                    getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size)
                    let isOurs =
                        port.sin_port == in_port_t(address.port).bigEndian
                        || (port.sin_family == sa_family_t(AF_UNIX) && listens != 0)
                    guard status == 0, isOurs else { continue }
                    try check(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0, "descriptor \(descriptor) is inherited")
                    marked += 1
                }
                try check(marked >= 3, "two listeners and a connection are there")
                withExtendedLifetime(held) {}
            }
            await endpoint.stop()
        }
    }

    @Test("as many connections can wait to be accepted as the kernel allows")
    func backlog() async throws {
        let endpoint = endpoint(EndpointConfiguration(host: "127.0.0.1", port: 0))
        let address = try await endpoint.start()
        let most = try String(contentsOfFile: "/proc/sys/net/core/somaxconn", encoding: .utf8)
        let limit = min(4096, Int(most.split(separator: "\n")[0]) ?? 0)
        // Of a listener, the kernel reports the backlog in this field.
        let backlogs = (3..<Int32(1024)).compactMap { descriptor -> UInt32? in
            var (bound, length) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
            let status = withUnsafeMutablePointer(to: &bound) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
            guard status == 0, bound.sin_port == in_port_t(address.port).bigEndian else { return nil }
            var (info, size) = (tcp_info(), socklen_t(MemoryLayout<tcp_info>.size))
            return getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 ? info.tcpi_sacked : nil
        }
        #expect(backlogs == [UInt32(limit)])
        await endpoint.stop()
    }
}
