import Foundation

/// Standard output: lines, and one line that lives on a terminal.
struct Console: Sendable {
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    /// Writes a line.
    func say(_ line: String) { write(line + "\n") }

    /// Writes a line to standard error.
    func warn(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8)) }

    /// Rewrites the live line in place; where there is no terminal, writes it as a line.
    func showLiveLine(_ line: String) { write(isTerminal ? "\r\(line)\u{1B}[K" : line + "\n") }

    /// Leaves the live line as it is and goes to the next.
    func endLiveLine() { if isTerminal { write("\n") } }

    private func write(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            // Nobody reads any more, as after `| head`. SIGPIPE would have ended the tool, but the pool ignores it.
            exit(EXIT_FAILURE)
        }
    }
}
