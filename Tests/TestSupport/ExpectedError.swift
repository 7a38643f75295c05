package import HTTPPool

/// The `PoolError` that `body` must throw.
package func poolError(
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ body: () async throws -> Void
) async throws -> PoolError {
    do {
        try await body()
    } catch let error as PoolError {
        return error
    }
    throw TestFailure("no error, at \(fileID):\(line)")
}
