import HTTPPool
import Synchronization
package import Testing

/// Scrapes an endpoint, or whatever gives its text, one scrape after the other, and checks each by itself and against the
/// one before. What is broken is an issue at the place of the call.
package final class CheckedScrapes: Sendable {
    private let checker = Mutex(ExpositionChecker())

    package init() {}

    /// Scrapes an address with curl.
    package func scrape(
        _ url: String,
        fileID: String = #fileID,
        filePath: String = #filePath,
        line: Int = #line,
        column: Int = #column
    ) async throws -> ExpositionReader {
        let here = SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column)
        return try await scrape(sourceLocation: here) {
            let result = try await curl("--fail", url)
            guard result.status == 0 else { throw TestFailure("\(url): \(result.errors)") }
            return Array(result.output.utf8)
        }
    }

    /// Reads the text that `source` gives.
    package func scrape(
        sourceLocation: SourceLocation,
        _ source: () async throws -> [UInt8]
    ) async throws -> ExpositionReader {
        let began = MonotonicTime.now()
        let page = try ExpositionReader(try await source())
        let faults = checker.withLock { $0.check(page, began: began, ended: .now()) }
        if !faults.isEmpty { Issue.record("a scrape breaks \(faults)", sourceLocation: sourceLocation) }
        return page
    }
}
