import Foundation
import Glibc
import TestSupport

/// A terminal of tmux, in which a shell runs one command.
final class Tmux: Sendable {
    private let folder: URL
    private let environment: [String: String?]
    private let server: Program

    /// - Parameter command: for `sh`. What it prints stays on the screen after its end.
    init(columns: Int, rows: Int, _ command: String, _ variables: [String: String] = [:]) async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var environment: [String: String?] = [
            "TMUX": nil, "LC_ALL": "C.UTF-8", "NO_COLOR": nil, "TERM": "xterm-256color", "COLUMNS": nil,
        ]
        for (name, value) in variables { environment[name] = value }
        self.environment = environment
        // In the foreground: a daemon would keep the descriptor by which Foundation sees the end of a program.
        server = try Program(
            "tmux",
            ["-S", folder.path + "/s", "-f", "/dev/null", "-u", "-D"],
            environment: environment
        )
        let socket = folder.path + "/s"
        try await eventually("tmux listens: \(server.errors)") { FileManager.default.fileExists(atPath: socket) }
        let shell =
            "stty -g > '\(folder.path)/before'; \(command); echo \"status $?\"; stty -g > '\(folder.path)/after'; cat"
        try await tmux("new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", shell)
    }

    deinit {
        // The program in the terminal ends when its terminal goes.
        server.signal(SIGTERM)
        server.waitForEnd()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Whether the modes of the terminal are again those of before the command; `nil` before it has ended.
    var isRestored: Bool? {
        func modes(_ name: String) -> String? {
            let text = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            return text?.hasSuffix("\n") == true ? text : nil
        }
        guard let after = modes("after") else { return nil }
        return modes("before") == after
    }

    /// Presses keys, by their names in tmux.
    func press(_ keys: String...) async throws { try await tmux(["send-keys"] + keys) }

    func resize(columns: Int, rows: Int) async throws {
        try await tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    /// The lines on the screen.
    func lines(withColors: Bool = false) async throws -> [String] {
        try await tmux(["capture-pane", "-p"] + (withColors ? ["-e"] : [])).components(separatedBy: "\n")
    }

    /// Waits for a screen.
    @discardableResult
    func wait(for what: String, _ condition: ([String]) -> Bool) async throws -> [String] {
        var seen: [String] = []
        try await eventually("\(what):\n\(seen.joined(separator: "\n"))") {
            seen = try await lines()
            return condition(seen)
        }
        return seen
    }

    /// The process in the terminal of this name.
    func process(_ name: String) async throws -> Int32? {
        let shell = try await tmux("list-panes", "-F", "#{pane_pid}").trimmingCharacters(in: .whitespacesAndNewlines)
        let found = try await runProgram("pgrep", ["-P", shell, name])
        return found.output.split(separator: "\n").first.flatMap { Int32($0) }
    }

    @discardableResult
    private func tmux(_ arguments: String...) async throws -> String { try await tmux(arguments) }

    @discardableResult
    private func tmux(_ arguments: [String]) async throws -> String {
        let whole = ["-S", folder.path + "/s", "-f", "/dev/null", "-u"] + arguments
        let result = try await runProgram("tmux", whole, environment: environment)
        guard result.status == 0 else { throw TestFailure("tmux \(arguments): \(result.errors)") }
        return result.output
    }
}
