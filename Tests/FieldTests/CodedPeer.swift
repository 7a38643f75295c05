import Foundation
import HTTPPool
import HTTPTypes
import TestSupport

/// A response with a coding, and how it is sent.
struct CodedResponse: Sendable {
    /// How the end of the body is marked.
    enum Framing: CaseIterable, Sendable {
        case length, chunked, close
    }

    /// The head's lines about codings.
    var fields: String
    var pieces: [[UInt8]]
    var framing = Framing.length
    var status = "200 OK"

    init(_ coding: String, _ pieces: [UInt8]..., framing: Framing = .length, status: String = "200 OK") {
        fields = "Content-Encoding: \(coding)\r\n"
        (self.pieces, self.framing, self.status) = (pieces, framing, status)
    }

    /// Sends it; `between` is called before each piece but the first, and before the end of the framing.
    func write(to connection: ScriptedPeer.Connection, between: () throws -> Void = {}) throws {
        let length = pieces.reduce(0) { $0 + $1.count }
        let frame =
            switch framing {
            case .length: "Content-Length: \(length)\r\n"
            case .chunked: "Transfer-Encoding: chunked\r\n"
            case .close: "Connection: close\r\n"
            }
        connection.write("HTTP/1.1 \(status)\r\n\(fields)\(frame)\r\n")
        for (index, piece) in pieces.enumerated() where !piece.isEmpty {
            if index > 0 { try between() }
            if framing == .chunked {
                connection.write(Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8))
            } else {
                connection.write(piece)
            }
        }
        if framing == .chunked {
            try between()
            connection.write("0\r\n\r\n")
        }
    }

    /// A peer that sends it to `/`, and plain text to every other path.
    func peer(between: @escaping @Sendable () throws -> Void = {}) throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                if head.hasPrefix("GET / ") || head.hasPrefix("HEAD / ") {
                    try write(to: connection, between: between)
                    if framing == .close { return }
                } else {
                    connection.answer("plain")
                }
            }
        }
    }
}

/// Bodies that are packed.
enum PackedBody {
    static let gzipFoo = bytes("1f8b08000000000000ff4bcbcf07002165738c03000000")
    static let gzipBar = bytes("1f8b08000000000000ff4b4a2c0200aa8cff7603000000")
    static let zlibABC = bytes("789c4b4c4a0600024d0127")
    static let rawABC = bytes("4b4c4a0600")
    static let brotliFoo = bytes("0f0180666f6f03")
    static let zstdFoo = bytes("28b52ffd2003190000666f6f")
    /// Says that it needs a window of 128 MiB.
    static let zstdFooLargeWindow = bytes("28b52ffd0088190000666f6f")

    static func bytes(_ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }

    /// Content, packed by a program.
    static func packed(_ content: [UInt8], by program: String = "gzip", _ arguments: String...) async throws -> [UInt8]
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("packed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (plain, packed) = (folder.appendingPathComponent("plain"), folder.appendingPathComponent("packed"))
        try Data(content).write(to: plain)
        let command = ([program] + arguments + ["-c"]).joined(separator: " ")
        let made = try await runProgram("sh", ["-c", "\(command) <'\(plain.path)' >'\(packed.path)'"])
        guard made.status == 0 else { throw TestFailure("\(program): \(made.errors)") }
        return Array(try Data(contentsOf: packed))
    }

    /// Text that does not pack well: more than waits for a reader even when it is packed.
    static let text = (0..<200_000).map { "line \($0 &* 2_654_435_761 % 1_000_003)\n" }.joined()
}
