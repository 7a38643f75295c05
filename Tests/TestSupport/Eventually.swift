/// Waits until a condition holds, looking every few milliseconds.
///
/// - Throws: ``TestFailure`` with `what` if it does not hold within `limit`.
package func eventually(
    _ what: String,
    within limit: Duration = .seconds(60),
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw TestFailure("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}
