package import Logging
import Synchronization

/// Keeps what is logged.
package final class LogLines: Sendable {
    package struct Line: Sendable, CustomStringConvertible {
        package let level: Logger.Level
        package let text: String
        package let metadata: [String: String]

        /// `warning limits unchanged`, then the metadata.
        package var description: String { "\(level) \(text)" + (metadata.isEmpty ? "" : " \(metadata)") }
    }

    private let kept = Mutex<[Line]>([])

    package init() {}

    /// All lines that were logged, the earliest first.
    package var lines: [Line] { kept.withLock { $0 } }

    /// The same, each as one text.
    package var descriptions: [String] { lines.map(\.description) }

    /// The texts of one level.
    package func texts(_ level: Logger.Level) -> [String] { lines.filter { $0.level == level }.map(\.text) }

    package func logger(_ level: Logger.Level = .trace) -> Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = level
        return logger
    }

    private struct Handler: LogHandler {
        let log: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        init(log: LogLines) { self.log = log }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).mapValues { "\($0)" }
            log.kept.withLock { $0.append(Line(level: event.level, text: "\(event.message)", metadata: fields)) }
        }
    }
}
