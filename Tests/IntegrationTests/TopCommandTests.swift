import Foundation
import Glibc
import TestSupport
import Testing

@testable import PoolScopeTool

@Suite("poolscope top: the program")
struct TopCommandTests {
    private static func server(port: UInt16 = 0) throws -> ScriptedPeer {
        try ScriptedPeer(port: port) { connection, _ in
            while let (head, _) = try connection.readRequest() {
                let page =
                    if head.hasPrefix("GET /leases") {
                        StatusPages.requests("leases")
                    } else if head.hasPrefix("GET /queue") {
                        StatusPages.requests("queue")
                    } else if head.hasPrefix("GET /events") { StatusPages.events } else { StatusPages.saturated() }
                connection.answer(page)
            }
        }
    }

    private func terminal(
        _ authority: String,
        columns: Int = 80,
        rows: Int = 24,
        _ variables: [String: String] = [:]
    ) async throws -> Tmux {
        let command = "'\(try Tool.path)' top \(authority) --interval 0.2 --timeout 2"
        return try await Tmux(columns: columns, rows: rows, command, variables)
    }

    private func isSaturated(_ lines: [String]) -> Bool { lines.contains { $0.hasPrefix("SATURATED for 4 min 10 s") } }

    @Test("follows keys and sizes, outlives its endpoint, and leaves the terminal as it was")
    func session() async throws {
        let peer = try Self.server()
        let top = try await terminal(peer.authority)
        try await top.wait(for: "the first picture") { isSaturated($0) && $0.contains { $0.hasPrefix("> ") } }

        try await top.press("Tab")
        try await top.wait(for: "the call sites") { $0.contains { $0.hasPrefix("> shared      tool calls") } }
        try await top.press("3")
        try await top.wait(for: "the leases") { $0.contains { $0.contains("1 min 5 s") && $0.contains("caller") } }
        try await top.press("5")
        try await top.wait(for: "the events") { $0.contains { $0.contains("03:08:31") && $0.contains("gave up") } }
        try await top.press("1", "Down")
        try await top.wait(for: "the second row") { $0.contains { $0.hasPrefix("row 2 of 4  https://identity:443") } }

        try await top.press("s", "s")
        try await top.wait(for: "the order of a column") { $0.contains { $0.contains("upstream>") } }
        try await top.press("/", "i", "d", "e", "n", "Enter")
        try await top.wait(for: "the filter") { lines in
            lines.contains { $0.contains("filter: iden") } && lines.contains { $0.contains("https://identity:443") }
                && !lines.contains { $0.contains("https://catalog-service") }
        }
        try await top.press("Escape")
        try await top.resize(columns: 140, rows: 40)
        try await top.wait(for: "the larger size") { lines in
            lines.contains { $0.contains("cause       The upstream is slow.") }
                && lines.contains { $0.contains("connecting") }
        }
        try await top.resize(columns: 40, rows: 10)
        try await top.wait(for: "the smaller size") { $0.count <= 11 && isSaturated($0) }
        try await top.resize(columns: 80, rows: 24)

        try await peer.stop()
        try await top.wait(for: "the failure above the last picture") {
            $0[0].wholeMatch(of: /no response for \d+ s  127\.0\.0\.1:\d+ .*/) != nil && isSaturated($0)
        }
        let again = try Self.server(port: peer.port)
        try await top.wait(for: "the picture of the endpoint that came back") {
            $0[0].hasPrefix("poolscope top  ") && isSaturated($0)
        }

        try await top.press("p")
        try await top.wait(for: "the pause") { $0[0].hasSuffix("PAUSED") }
        try await top.press("q")
        try await top.wait(for: "the end") { $0.contains("status 0") && !isSaturated($0) }
        try await eventually("the modes are restored") { top.isRestored == true }
        withExtendedLifetime(again) {}
    }

    @Test("restores the terminal at a signal", arguments: [SIGINT, SIGTERM, SIGHUP])
    func signals(number: Int32) async throws {
        let peer = try Self.server()
        let top = try await terminal(peer.authority)
        try await top.wait(for: "the first picture", isSaturated)
        let process = try #require(try await top.process("poolscope"))
        kill(process, number)
        try await top.wait(for: "the end") { $0.contains("status \(128 + number)") && !isSaturated($0) }
        try await eventually("the modes are restored") { top.isRestored == true }
    }

    @Test("restores the terminal at Ctrl-C")
    func controlC() async throws {
        let peer = try Self.server()
        let top = try await terminal(peer.authority)
        try await top.wait(for: "the first picture", isSaturated)
        try await top.press("C-c")
        try await top.wait(for: "the end") { $0.contains("status 130") && !isSaturated($0) }
        try await eventually("the modes are restored") { top.isRestored == true }
    }

    @Test("uses colors unless NO_COLOR is set", arguments: [true, false])
    func colors(hasColor: Bool) async throws {
        let peer = try Self.server()
        let top = try await terminal(peer.authority, hasColor ? [:] : ["NO_COLOR": "1"])
        try await top.wait(for: "the first picture", isSaturated)
        let text = try await top.lines(withColors: true).joined(separator: "\n")
        #expect(text.contains(/\u{1B}\[[0-9;]*31[m;]/) == hasColor, "\(text.debugDescription)")
    }

    @Test("prints once where the terminal cannot move its cursor, within its columns")
    func dumb() async throws {
        let peer = try Self.server()
        let command = "TERM=dumb '\(try Tool.path)' top \(peer.authority)"
        let top = try await Tmux(columns: 80, rows: 50, command)
        let lines = try await top.wait(for: "the end") { $0.contains("status 0") }
        #expect(isSaturated(lines))
    }

    @Test("prints once where standard output is no terminal, without a control character")
    func pipe() async throws {
        let peer = try Self.server()
        for arguments in [["top", peer.authority], ["top", "--once", peer.authority]] {
            let result = try await Tool.run(arguments, ["COLUMNS": "100", "LC_ALL": "C"])
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.components(separatedBy: "\n")
            #expect(isSaturated(lines))
            #expect(lines.contains("  do first    Find out why."))
            #expect(lines.contains { $0.contains("https://identity:443") })
            #expect(result.output.allSatisfy { $0.isASCII && ($0 == "\n" || $0 >= " ") })
            #expect(lines.allSatisfy { $0.count <= 100 })
        }
    }

    @Test("fails in one line where nothing listens, and refuses a user in the address without repeating it")
    func failures() async throws {
        let port = try RefusingPort()
        let refused = try await Tool.run(["top", port.authority])
        #expect(refused.status == 1)
        #expect(refused.output == "")
        #expect(refused.errors.hasPrefix("Error: no response from \(port.authority): connectFailed: "))
        let secret = try await Tool.run(["top", "http://user:sesame@127.0.0.1:1/"])
        #expect(secret.status == 64)
        #expect(!secret.errors.contains("sesame") && secret.errors.contains("must not contain a user"))
        withExtendedLifetime(port) {}
    }
}
