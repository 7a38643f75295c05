public import HTTPTypes

/// The answer to a request: its head, and its body, which may still be on its way.
public struct PooledResponse: Sendable {
    /// Status and header fields.
    public let head: HTTPResponse
    /// The body, to be read once.
    public let body: ResponseBody

    /// The status.
    public var status: HTTPResponse.Status { head.status }

    /// Puts an answer together.
    public init(head: HTTPResponse, body: ResponseBody) {
        self.head = head
        self.body = body
    }
}
