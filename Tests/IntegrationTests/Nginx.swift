import Foundation
import Glibc
import TestSupport

/// Debian's nginx on a port of loopback, with its own account of what it served (`stub_status`).
final class Nginx: Sendable {
    let port: UInt16
    private let program: Program
    private let folder: URL
    var authority: String { "127.0.0.1:\(port)" }

    /// Starts it and waits until it answers. `locations` goes into the server's block.
    static func start(
        locations: String = "",
        keepaliveTimeout: Int = 75,
        connections: Int = 2_048
    ) async throws -> Nginx {
        let nginx = try Nginx(locations: locations, keepaliveTimeout: keepaliveTimeout, connections: connections)
        do {
            try await eventually("nginx answers") { try await nginx.status() != nil }
        } catch {
            throw TestFailure("\(error); nginx says: \(nginx.program.errors)")
        }
        return nginx
    }

    private init(locations: String, keepaliveTimeout: Int, connections: Int) throws {
        // The port is free when it is asked for, and nobody else asks for it in this moment.
        let probe = try ScriptedPeer.listen(backlog: 1)
        port = ScriptedPeer.port(of: probe)
        close(probe)
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
              access_log off; keepalive_timeout \(keepaliveTimeout)s; keepalive_requests 1000000; \(temporary)
              server {
                listen 127.0.0.1:\(port);
                location = /status { stub_status; }
                location = /small { return 200 "small"; }
                \(locations)
              }
            }
            """
        try text.write(to: file, atomically: true, encoding: .utf8)
        self.folder = folder
        program = try Program("nginx", ["-c", file.path, "-e", "\(folder.path)/error.log"])
    }

    deinit {
        program.signal(SIGTERM)
        program.waitForEnd()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Ends it as an upstream ends that is restarted: every connection is closed.
    func stop() async throws {
        program.signal(SIGTERM)
        try await onThread { [program] in _ = program.waitForEnd() }
    }

    /// What it counts. The question itself is one connection and one request of it; they are taken off.
    struct Status: Equatable {
        var open: Int
        var accepted: Int
        var requests: Int
    }

    /// `nil` while it does not answer. Each question is a connection: the n-th question counts itself and those before.
    func status(questionsBefore: Int = 0) async throws -> Status? {
        let result = try await curl("http://\(authority)/status")
        guard result.status == 0 else { return nil }
        let numbers = result.output.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count >= 4 else { return nil }
        let questions = questionsBefore + 1
        return Status(open: numbers[0] - 1, accepted: numbers[1] - questions, requests: numbers[3] - questions)
    }
}
