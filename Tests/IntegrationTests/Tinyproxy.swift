import Foundation
import TestSupport

/// Debian's tinyproxy on a port of loopback.
final class Tinyproxy: Sendable {
    let port: UInt16
    private let program: Program
    private let folder: URL

    /// Starts it and waits until it listens.
    static func start(user: String? = nil, password: String = "") async throws -> Tinyproxy {
        let proxy = try Tinyproxy(user.map { "BasicAuth \($0) \(password)" } ?? "")
        try await eventually("tinyproxy listens; it says: \(proxy.program.errors)\(proxy.log)") {
            proxy.log.contains("Accepting connections")
        }
        return proxy
    }

    private init(_ settings: String) throws {
        let probe = try ScriptedPeer.listen(backlog: 1)
        port = ScriptedPeer.port(of: probe)
        close(probe)
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tinyproxy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("conf")
        let text = """
            Listen 127.0.0.1
            Port \(port)
            Timeout 60
            LogLevel Info
            LogFile "\(folder.path)/log"
            MaxClients 200
            \(settings)

            """
        try text.write(to: file, atomically: true, encoding: .utf8)
        program = try Program("tinyproxy", ["-d", "-c", file.path])
    }

    deinit {
        program.signal(SIGTERM)
        program.waitForEnd()
        try? FileManager.default.removeItem(at: folder)
    }

    /// What it says of the requests that it has passed on.
    var log: String { (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? "" }

    /// The request lines that it was sent.
    var requests: [String] {
        log.split(separator: "\n").compactMap { line in
            line.firstMatch(of: /Request \(file descriptor \d+\): (.*)/).map { String($0.1) }
        }
    }
}
