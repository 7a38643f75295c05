import Foundation
import Glibc

/// Debian's nginx on a port of loopback, with its own account of what it served (`stub_status`).
package final class Nginx: Sendable {
    package let port: UInt16
    /// The port that speaks TLS, where it was asked for one.
    package let tlsPort: UInt16
    private let program: Program
    private let folder: URL
    package var authority: String { "127.0.0.1:\(port)" }
    /// Where it speaks TLS, by the name that certificates are for.
    package var tlsAuthority: String { "localhost:\(tlsPort)" }

    /// How it speaks TLS.
    package struct TLS {
        package var certificate: TestCertificates.Pair
        /// The most streams of a connection; `nil`: it speaks HTTP/1.1 only.
        package var http2Streams: Int?
        /// What else goes into the server's block.
        package var directives = ""

        package init(certificate: TestCertificates.Pair, http2Streams: Int? = nil, directives: String = "") {
            self.certificate = certificate
            self.http2Streams = http2Streams
            self.directives = directives
        }
    }

    /// Starts it and waits until it answers. `locations` goes into the server's block.
    package static func start(
        locations: String = "",
        keepaliveTimeout: Int = 75,
        keepaliveRequests: Int = 1_000_000,
        connections: Int = 2_048,
        tls: TLS? = nil
    ) async throws -> Nginx {
        let keepalive = "keepalive_timeout \(keepaliveTimeout)s; keepalive_requests \(keepaliveRequests);"
        let nginx = try Nginx(locations: locations, keepalive: keepalive, connections: connections, tls: tls)
        try await eventually("nginx answers; it says: \(nginx.program.errors)") { try await nginx.status() != nil }
        return nginx
    }

    private init(locations: String, keepalive: String, connections: Int, tls: TLS?) throws {
        // The ports are free when they are asked for, and nobody else asks for them in this moment.
        let probes = try [ScriptedPeer.listen(backlog: 1), ScriptedPeer.listen(backlog: 1)]
        (port, tlsPort) = (ScriptedPeer.port(of: probes[0]), ScriptedPeer.port(of: probes[1]))
        for probe in probes { close(probe) }
        let tlsText = tls.map { [tlsPort] in Self.text($0, port: tlsPort) } ?? ""
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nginx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("nginx.conf")
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder.path)/\($0);" }.joined(separator: " ")
        let text = """
            daemon off; worker_processes 1; pid \(folder.path)/pid; error_log \(folder.path)/error.log;
            worker_rlimit_nofile \(2 * connections);
            events { worker_connections \(connections); }
            http {
              log_format served '$connection $request_method $uri $server_protocol';
              access_log \(tls == nil ? "off" : "\(folder.path)/access.log served"); \(keepalive) \(temporary)
              server {
                listen 127.0.0.1:\(port);
                \(tlsText)
                location = /status { stub_status; access_log off; }
                location = /small { return 200 "small"; }
                \(locations)
              }
            }
            """
        try text.write(to: file, atomically: true, encoding: .utf8)
        self.folder = folder
        program = try Program("nginx", ["-c", file.path, "-e", "\(folder.path)/error.log"])
    }

    private static func text(_ tls: TLS, port: UInt16) -> String {
        let streams = tls.http2Streams.map { "http2_max_concurrent_streams \($0);" } ?? ""
        return """
            listen 127.0.0.1:\(port) ssl \(tls.http2Streams == nil ? "" : "http2"); \(streams)
            ssl_certificate \(tls.certificate.certificate); ssl_certificate_key \(tls.certificate.key);
            \(tls.directives)
            """
    }

    deinit {
        program.signal(SIGTERM)
        program.waitForEnd()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Ends it as an upstream ends that is restarted: every connection is closed.
    package func stop() async throws {
        program.signal(SIGTERM)
        try await onThread { [program] in _ = program.waitForEnd() }
    }

    /// Starts new workers, and lets the old ones finish what they have begun.
    package func reload() { program.signal(SIGHUP) }

    /// A request that it has served.
    package struct Served: Hashable {
        /// Its own number of the connection.
        package let connection: Int
        package let method: String
        package let path: String
        package let version: String
    }

    /// What it has served, other than questions for its status; by its own log. Only one with TLS keeps it.
    package func served() throws -> [Served] {
        let log = try String(contentsOf: folder.appendingPathComponent("access.log"), encoding: .utf8)
        return log.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: " ").map(String.init)
            guard columns.count == 4, let connection = Int(columns[0]) else { return nil }
            return Served(connection: connection, method: columns[1], path: columns[2], version: columns[3])
        }
    }

    /// What it counts. The question itself is one connection and one request of it; they are taken off.
    package struct Status: Equatable {
        package var open: Int
        package var accepted: Int
        package var requests: Int
    }

    /// `nil` while it does not answer. Each question is a connection: the n-th question counts itself and those before.
    package func status(questionsBefore: Int = 0) async throws -> Status? {
        let result = try await curl("http://\(authority)/status")
        guard result.status == 0 else { return nil }
        let numbers = result.output.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count >= 4 else { return nil }
        let questions = questionsBefore + 1
        return Status(open: numbers[0] - 1, accepted: numbers[1] - questions, requests: numbers[3] - questions)
    }
}
