import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

/// Answers that come packed: by a real nginx, and by a peer that packs what a test tells it to.
@Suite("Decompression")
struct DecompressionTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("packed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// `content`, packed by a program.
    private func packed(_ content: [UInt8], by program: String = "gzip", _ arguments: [String] = ["-9", "-n", "-c"])
        async throws
        -> [UInt8]
    {
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (plain, packed) = (folder.appendingPathComponent("plain"), folder.appendingPathComponent("packed"))
        try Data(content).write(to: plain)
        let quoted = ([program] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let made = try await runProgram("sh", ["-c", "\(quoted) <'\(plain.path)' >'\(packed.path)'"])
        guard made.status == 0 else { throw TestFailure("\(program): \(made.errors)") }
        return Array(try Data(contentsOf: packed))
    }

    /// A peer that answers every request with these bytes, in one piece or chunked.
    private func peer(_ encoding: String, _ bytes: [UInt8], chunked: Bool = false) throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                let asked = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("accept-encoding:") }
                let length = chunked ? "Transfer-Encoding: chunked" : "Content-Length: \(bytes.count)"
                connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Encoding: \(encoding)\r\n\(length)\r\n"
                        + "X-Asked: \(asked ?? "nothing")\r\n\r\n"
                )
                guard chunked else {
                    connection.write(bytes)
                    continue
                }
                for start in stride(from: 0, to: bytes.count, by: 5_000) {
                    let piece = bytes[start..<min(start + 5_000, bytes.count)]
                    connection.write(Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8))
                }
                connection.write("0\r\n\r\n")
            }
        }
    }

    private func withUnpacking(
        _ maxRatio: Int = 100,
        _ body: (CurlClient, Journal) async throws -> Void
    ) async throws {
        try await withPool({ $0.transport.decompression = .on(maxRatio: maxRatio) }, body)
    }

    private static func adler32(_ bytes: [UInt8]) -> [UInt8] {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return withUnsafeBytes(of: (b << 16 | a).bigEndian) { Array($0) }
    }

    private static let asked = HTTPField.Name("X-Asked")

    @Test("nginx's gzip is asked for and unpacked, small and large, and the head speaks of what is delivered")
    func nginx() async throws {
        let text = (0..<200_000).map { "line \($0 &* 2_654_435_761 % 1_000_003)\n" }.joined()
        try text.write(to: folder.appendingPathComponent("large.txt"), atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: folder) }
        let nginx = try await Nginx.start(
            locations: "gzip on; gzip_min_length 1; gzip_types *; location /large.txt { root \(folder.path); }"
        )
        let large = HTTPRequest.get("http", nginx.authority, "/large.txt")
        try await withUnpacking { pool, journal in
            for (request, content) in [(.get("http", nginx.authority), "small"), (large, text)] {
                let response = try await pool.execute(request)
                #expect(response.head.headerFields[.contentEncoding] == nil)
                #expect(response.head.headerFields[.contentLength] == nil)
                #expect(try await response.body.collect() == Array(content.utf8))
            }
            // A body that is let go of, and one that is read piece by piece.
            var read: [UInt8] = []
            for try await chunk in try await pool.execute(large).body { read += chunk }
            #expect(read == Array(text.utf8))
            #expect(journal.opened == 1)
        }
        // Who does not unpack does not ask, and who asks unpacks.
        try await withPool { pool, _ in
            let response = try await pool.execute(large)
            #expect(response.head.headerFields[.contentEncoding] == nil)
            #expect(response.head.headerFields[.contentLength] == "\(text.utf8.count)")
            #expect(try await response.body.collect().count == text.utf8.count)
        }
        try await withUnpacking { pool, _ in
            var asking = large
            asking.headerFields[.acceptEncoding] = "gzip"
            let response = try await pool.execute(asking)
            #expect(response.head.headerFields[.contentEncoding] == "gzip")
            #expect(try await response.body.collect().starts(with: [0x1f, 0x8b]))
            // The next request of the same connection unpacks again.
            #expect(try await pool.execute(large).body.collect() == Array(text.utf8))
        }
    }

    @Test("Every coding that is asked for is unpacked, whole and chunked", arguments: [false, true])
    func encodings(chunked: Bool) async throws {
        let text = Array((0..<20_000).map { "line \($0)\n" }.joined().utf8)
        let gzip = try await packed(text)
        // Between gzip's head and its check sum lies what others send as it is; zlib's form is the proper one.
        let raw = Array(gzip[10..<gzip.count - 8])
        let kinds = [
            ("gzip", gzip),
            ("deflate", raw),
            ("deflate", [0x78, 0x9c] + raw + Self.adler32(text)),
            ("br", try await packed(text, by: "brotli", ["-c"])),
            ("zstd", try await packed(text, by: "zstd", ["-q", "-c"])),
        ]
        for (encoding, bytes) in kinds {
            let peer = try peer(encoding, bytes, chunked: chunked)
            try await withUnpacking { pool, _ in
                let response = try await pool.execute(.get("http", peer.authority))
                let asked = try #require(Self.asked.flatMap { response.head.headerFields[$0] })
                #expect(asked.contains(encoding))
                #expect(response.head.headerFields[.contentEncoding] == nil)
                #expect(try await response.body.collect() == text)
            }
        }
    }

    @Test("An answer that unpacks to a thousand times its size ends early", arguments: [false, true])
    func bomb(chunked: Bool) async throws {
        let bombs = [
            ("gzip", try await packed([UInt8](repeating: 0, count: 48 << 20))),
            ("br", try await packed([UInt8](repeating: 0, count: 128 << 20), by: "brotli", ["-5", "-c"])),
        ]
        for (encoding, bytes) in bombs {
            let peer = try peer(encoding, bytes, chunked: chunked)
            try await expectTooLarge(peer)
        }
    }

    private func expectTooLarge(_ peer: ScriptedPeer) async throws {
        try await withUnpacking { pool, journal in
            let error = try await poolError {
                var count = 0
                for try await chunk in try await pool.execute(.get("http", peer.authority)).body {
                    count += chunk.count
                }
                Issue.record("\(count) bytes were delivered")
            }
            #expect(error.code == .responseTooLarge, "\(error)")
            #expect(error.origin?.port == peer.port)
            // The response may have been whole before anybody read it; then its connection lives.
            #expect(journal.closeReasons.allSatisfy { $0 == .error })
        }
    }

    @Test(
        "The ratio is the limit: what is just within it comes, what is just beyond does not",
        arguments: [false, true]
    )
    func ratio(chunked: Bool) async throws {
        let zeros = [UInt8](repeating: 0, count: 4 << 20)
        let bytes = try await packed(zeros)
        let peer = try peer("gzip", bytes, chunked: chunked)
        // As many times as the body unpacks to, rounded up.
        let ratio = (zeros.count + bytes.count - 1) / bytes.count
        try await withUnpacking(ratio) { pool, _ in
            let bytes = try await pool.execute(.get("http", peer.authority)).body.collect()
            #expect(bytes == zeros)
        }
        try await withUnpacking(ratio - 1) { pool, _ in
            let error = try await poolError { _ = try await pool.execute(.get("http", peer.authority)).body.collect() }
            #expect(error.code == .responseTooLarge, "\(error)")
        }
    }

    @Test("Up to a mebibyte the ratio is nobody's business", arguments: [false, true])
    func smallBomb(chunked: Bool) async throws {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let peer = try peer("gzip", try await packed(zeros), chunked: chunked)
        try await withUnpacking(1) { pool, _ in
            let bytes = try await pool.execute(.get("http", peer.authority)).body.collect()
            #expect(bytes == zeros)
        }
    }

    @Test("A body that is not what it says it is is an invalid answer")
    func broken() async throws {
        var bytes = try await packed(Array((0..<20_000).map { "line \($0)\n" }.joined().utf8))
        for index in 2_000..<2_200 { bytes[index] ^= 0x5a }
        for (encoding, bytes) in [("gzip", bytes), ("gzip", Array("no gzip at all".utf8)), ("zstd", bytes)] {
            let peer = try peer(encoding, bytes)
            try await withUnpacking { pool, journal in
                let error = try await poolError {
                    _ = try await pool.execute(.get("http", peer.authority)).body.collect()
                }
                #expect(error.code == .invalidResponse, "\(encoding): \(error)")
                #expect(journal.closeReasons.allSatisfy { $0 == .error })
            }
        }
    }
}
