import Foundation
import Testing

/// A page as curl prints it.
struct CapturedPage: Sendable {
    /// As it came.
    let text: String
    private let port: UInt16

    /// - Parameter port: nginx's, which is another one in each run.
    init(_ text: String, port: UInt16) {
        self.text = text
        self.port = port
    }

    var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    /// The problem and how long it has lasted.
    var headline: String { lines.first ?? "" }

    /// The text behind a label, with the lines that it is wrapped over: `row("cause")`.
    func row(_ label: String) -> String? {
        guard let first = lines.firstIndex(where: { Self.label(of: $0) == label }) else { return nil }
        let start = lines[first].dropFirst(2 + max(9, label.count) + 1)
        let rest = lines[(first + 1)...].prefix { $0.hasPrefix(Self.indent) && $0.count > Self.indent.count }
        return ([String(start)] + rest.map { String($0.dropFirst(Self.indent.count)) }).joined(separator: " ")
    }

    /// That a terminal of 80 columns shows it: no line is longer, unless it is one name, and nothing but characters and
    /// line feeds.
    func expectPlain(sourceLocation: SourceLocation) {
        for line in lines where line.count > 80 {
            #expect(!line.trimmingCharacters(in: .whitespaces).contains(" "), "\(line)", sourceLocation: sourceLocation)
        }
        let controls = text.unicodeScalars.filter { $0.properties.generalCategory == .control && $0 != "\n" }
        #expect(controls.isEmpty, sourceLocation: sourceLocation)
        #expect(lines.allSatisfy { !$0.hasSuffix(" ") }, "a line ends with a space", sourceLocation: sourceLocation)
    }

    // MARK: In the documentation

    /// The page with what belongs to the machine replaced. The port stays as long as it was, so that columns stay in line.
    var documented: String {
        text.replacing(":\(port)", with: ":18080")
            .replacing(#/^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC) +\S+ +pid \d+/#.anchorsMatchLineEndings()) {
                "\($0.1) gateway-7d9f pid 7"
            }
    }

    /// What stays the same from run to run: the finding without its numbers, the labels of its evidence, the headings of charts
    /// and tables, and the last line.
    ///
    /// Lines whose presence depends on what else the machine brought about (`also`, `last`) are left out.
    static func shape(of text: String) -> [String] {
        let lines = text.split(separator: "\n").map(String.init)
        guard let first = lines.first, let last = lines.last else { return [] }
        let rows = lines.compactMap(label).filter { $0 != "last" }
        let headings = lines.filter { line in
            ["pool  ", "upstream  ", "call site  ", "last 10 min", "last hour"].contains { line.hasPrefix($0) }
        }
        return [withoutNumbers(first)] + rows + headings.map(withoutNumbers) + [withoutNumbers(last)]
    }

    private static let indent = String(repeating: " ", count: 12)
    private static let labels = [
        "since", "cause", "error", "held by", "not by", "also hurt", "hurt", "before", "limit", "cost", "needed",
        "outlook",
        "do first", "set", "or set", "last",
    ]

    private static func label(of line: String) -> String? {
        labels.first {
            line.hasPrefix("  " + $0.padding(toLength: max(9, $0.count), withPad: " ", startingAt: 0) + " ")
        }
    }

    /// The line with `T` for each duration, `N` for each other number, and single spaces.
    private static func withoutNumbers(_ line: String) -> String {
        line.replacing(#/\b\d+(\.\d+)? (ms|s|min|h|d)( \d+ (s|min))?\b/#, with: "T")
            .replacing(#/\d[\d,.]*/#, with: "N")
            .replacing(#/ {2,}/#, with: " ")
    }
}
