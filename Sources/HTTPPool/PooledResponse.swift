public import HTTPTypes

/// The answer to a request: its head, and its body, which may still be on its way.
public struct PooledResponse: Sendable {
    private enum Head: Sendable {
        case read(HTTPResponse)
        case unread(any ResponseHeadSource)
    }

    /// The status.
    public let status: HTTPResponse.Status
    /// The body, to be read once.
    public let body: ResponseBody
    private let storage: Head

    /// Puts an answer together.
    public init(head: HTTPResponse, body: ResponseBody) {
        status = head.status
        storage = .read(head)
        self.body = body
    }

    /// Puts an answer together whose header fields are read when somebody asks for them.
    package init(status: HTTPResponse.Status, head: any ResponseHeadSource, body: ResponseBody) {
        self.status = status
        storage = .unread(head)
        self.body = body
    }

    /// Status and header fields.
    public var head: HTTPResponse {
        switch storage {
        case .read(let head): head
        case .unread(let source): source.head
        }
    }
}

/// Where a head comes from that nobody has looked at yet: most callers ask for the status and no more, and the fields are
/// the larger part of what reading an answer costs. What cannot be read was refused before.
package protocol ResponseHeadSource: AnyObject, Sendable {
    /// Status and header fields, read at the first call.
    var head: HTTPResponse { get }
}
