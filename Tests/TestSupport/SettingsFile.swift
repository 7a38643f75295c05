import Foundation
import Glibc
import Synchronization

/// A file of settings for a test. It is replaced, never half written, and its time is another each time.
package final class SettingsFile: Sendable {
    private let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
    private let writes = Mutex(0)

    package init(_ text: String) throws { try write(text) }

    deinit { try? FileManager.default.removeItem(at: url) }

    package var path: String { url.path }

    package func write(_ text: String) throws {
        let number = writes.withLock { writes in
            writes += 1
            return writes
        }
        let next = url.appendingPathExtension("next")
        try Data(text.utf8).write(to: next)
        // The clock of the file system is too coarse for two writes in a row.
        let time = Date(timeIntervalSince1970: 1_700_000_000 + Double(number))
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: next.path)
        guard rename(next.path, url.path) == 0 else { throw TestFailure("the file could not be replaced") }
    }
}
