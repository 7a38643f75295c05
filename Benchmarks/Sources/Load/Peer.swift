/// A client under measurement. One is made per process; its connections outlive the warm-up.
public protocol Peer: Sendable {
    /// Sends one GET to the URL that it was made for and reads the whole answer.
    ///
    /// - Returns: the status and the number of bytes of the body.
    func get() async throws -> (status: Int, bytes: Int)

    /// Closes its connections.
    func close() async throws
}
