import Foundation
import Glibc

/// The terminal of `poolscope top`: its mode, its size and what is on it.
final class Terminal {
    private var original = termios()
    private let hasColor: Bool
    private var shown: [TopLine] = []

    /// - Parameter hasColor: whether colors may be used.
    /// - Returns: `nil` where input and output are not a terminal.
    init?(hasColor: Bool) {
        guard isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &original) == 0 else { return nil }
        self.hasColor = hasColor
    }

    /// Reads keys one by one, and switches to the alternate screen.
    func enter() {
        var raw = original
        cfmakeraw(&raw)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw)
        shown = []
        _ = write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
    }

    /// Leaves the terminal as it was.
    func leave() {
        _ = write("\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l")
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &original)
    }

    /// Draws everything anew the next time.
    func forget() { shown = [] }

    /// Writes the lines that have changed.
    ///
    /// - Returns: whether the terminal is still there.
    func draw(_ lines: [TopLine]) -> Bool {
        var text = shown.count == lines.count ? "" : "\u{1B}[2J"
        for (row, line) in lines.enumerated() where shown.count != lines.count || shown[row] != line {
            // The line is erased before it is written: after a line that fills the row, that would erase its last character.
            text += "\u{1B}[\(row + 1);1H\u{1B}[2K" + styled(line)
        }
        shown = lines
        return text.isEmpty || write(text)
    }

    private func styled(_ line: TopLine) -> String {
        let code =
            switch line.style {
            case .plain: ""
            case .heading: "1"
            case .selected: "7"
            case .ok: hasColor ? "1;32" : "1"
            case .warning: hasColor ? "1;33" : "1"
            case .critical: hasColor ? "1;31" : "1"
            }
        return code.isEmpty ? line.text : "\u{1B}[\(code)m\(line.text)\u{1B}[0m"
    }

    private func write(_ text: String) -> Bool {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
            return true
        } catch {
            return false
        }
    }
}

extension TerminalSize {
    /// The size of the terminal on standard output; `nil` where it is not a terminal.
    static var ofTerminal: TerminalSize? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
            size.ws_row > 0
        else { return nil }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// The columns that COLUMNS asks for.
    static func columns(in environment: [String: String]) -> Int? {
        environment["COLUMNS"].flatMap { Int($0) }.flatMap { (1...10_000).contains($0) ? $0 : nil }
    }
}

/// What the environment says of the terminal.
struct TerminalTraits: Sendable, Hashable {
    /// Whether it can place the cursor.
    let canMove: Bool
    let hasColor: Bool
    /// Whether it shows characters outside ASCII.
    let isUTF8: Bool

    init(_ environment: [String: String]) {
        let term = environment["TERM"] ?? ""
        canMove = !term.isEmpty && term != "dumb"
        hasColor = (environment["NO_COLOR"] ?? "").isEmpty
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        isUTF8 = ["utf-8", "utf8"].contains { locale.lowercased().contains($0) }
    }
}
