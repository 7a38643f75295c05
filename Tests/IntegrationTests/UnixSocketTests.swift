import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// A real nginx that listens on sockets in the file system.
@Suite("Unix sockets")
struct UnixSocketTests {
    private static func authority(_ path: String) -> String { path.replacingOccurrences(of: "/", with: "%2F") }

    @Test("Each socket is an origin of its own, whose connections are pooled; one that is not there is refused")
    func sockets() async throws {
        // Short: the kernel allows a path no more than 107 bytes.
        let folder = URL(fileURLWithPath: "/tmp/poolscope-\(UInt32.random(in: 0...(.max)))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let paths = ["\(folder.path)/a.sock", "\(folder.path)/b.sock"]
        let nginx = try await Nginx.start(
            locations: "listen unix:\(paths[0]); listen unix:\(paths[1]); location = /host { return 200 $host; }"
        )
        let pool = try CurlClient()
        let journal = Journal()
        try pool.attach(journal)
        func text(_ path: String, _ target: String) async throws -> String {
            let request = HTTPRequest(method: .get, scheme: "http+unix", authority: Self.authority(path), path: target)
            return String(decoding: try await pool.execute(request).body.collect(), as: UTF8.self)
        }
        for _ in 0..<3 { for path in paths { #expect(try await text(path, "/small") == "small") } }
        #expect(try await text(paths[0], "/host") == "localhost")
        #expect(journal.acquireKinds == [.new, .new, .reused, .reused, .reused, .reused, .reused])
        #expect(journal.levels.connections.idle == 2)
        // Over TCP it is another origin again.
        let request = HTTPRequest(method: .get, scheme: "http", authority: nginx.authority, path: "/small")
        #expect(try await pool.execute(request).body.collect() == Array("small".utf8))
        #expect(journal.levels.connections.idle == 3)
        do {
            _ = try await text("\(folder.path)/none.sock", "/small")
            Issue.record("nobody listens there")
        } catch let error as PoolError {
            #expect(error.code == .connectFailed)
        }
        await pool.shutdown()
        #expect(journal.levels == OriginLevels())
    }
}
