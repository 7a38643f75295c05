import Glibc
package import Testing

/// Waits until a condition holds, looking every few milliseconds.
///
/// If it does not hold within `limit`, that is an issue at the place of the call, with `what` as it is then.
///
/// - Throws: ``TestFailure`` after the issue, so that the test ends.
package func eventually(
    _ what: @autoclosure () throws -> String,
    within limit: Duration = .seconds(60),
    fileID: String = #fileID,
    filePath: String = #filePath,
    line: Int = #line,
    column: Int = #column,
    _ condition: () async throws -> Bool
) async throws {
    // `#_sourceLocation` is a macro, and only targets of tests can expand it.
    let here = SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column)
    try await eventually(try what(), within: limit, sourceLocation: here, condition)
}

/// The same for a helper that knows where it was called.
package func eventually(
    _ what: @autoclosure () throws -> String,
    within limit: Duration = .seconds(60),
    sourceLocation: SourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw waitedInVain(try what(), limit, sourceLocation) }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Blocks this thread until a condition holds: what ``eventually(_:within:fileID:filePath:line:column:_:)`` is to a task.
package func waitOnThread(
    _ what: @autoclosure () throws -> String,
    within limit: Duration = .seconds(60),
    fileID: String = #fileID,
    filePath: String = #filePath,
    line: Int = #line,
    column: Int = #column,
    until condition: () throws -> Bool
) throws {
    let end = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < end else {
            let here = SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column)
            throw waitedInVain(try what(), limit, here)
        }
        usleep(1_000)
    }
}

private func waitedInVain(_ what: String, _ limit: Duration, _ sourceLocation: SourceLocation) -> TestFailure {
    Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
    return TestFailure("the test ends here, because it waited in vain")
}
