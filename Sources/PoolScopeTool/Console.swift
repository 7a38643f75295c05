import Foundation

/// Writes lines and a status line that is updated in place to standard output, and warnings to standard error.
struct Console: Sendable {
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    /// The columns of the status line; `nil` if the output is not a terminal.
    var columns: Int? {
        isTerminal
            ? TerminalSize.ofTerminal?.columns ?? TerminalSize.columns(in: ProcessInfo.processInfo.environment) ?? 80
            : nil
    }

    /// Writes a line.
    func say(_ line: String) { write(line + "\n") }

    /// Writes a line to standard error.
    func warn(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8)) }

    /// Rewrites the status line in place; writes a new line if the output is not a terminal.
    func showLiveLine(_ line: String) { write(isTerminal ? "\r\(line)\u{1B}[K" : line + "\n") }

    /// Ends the status line and moves to the next line.
    func endLiveLine() { if isTerminal { write("\n") } }

    private func write(_ text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            // The reader is gone, as after `| head`. SIGPIPE would have ended the tool, but the pool ignores it.
            exit(EXIT_FAILURE)
        }
    }
}
