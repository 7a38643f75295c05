public import HTTPTypes

/// The response to a request: its head, and its body, which may still be arriving.
public struct PooledResponse: Sendable {
    private enum Head: Sendable {
        case read(HTTPResponse)
        case unread(any ResponseHeadSource)
    }

    /// The status.
    public let status: HTTPResponse.Status
    /// The body, to be read once.
    public let body: HTTPResponseBody
    private let storage: Head

    /// Makes a response.
    public init(head: HTTPResponse, body: HTTPResponseBody) {
        status = head.status
        storage = .read(head)
        self.body = body
    }

    /// Makes a response whose header fields are parsed when they are needed.
    package init(status: HTTPResponse.Status, head: any ResponseHeadSource, body: HTTPResponseBody) {
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

extension PooledResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The status and the size of the body. Values of header fields and the body are never printed.
    public var description: String { "status \(status.code), \(body)" }

    /// As ``description``.
    public var debugDescription: String { description }

    /// The status alone: a dump does not show header fields either.
    public var customMirror: Mirror { Mirror(self, children: ["status": status.code]) }
}

/// A source of a head whose fields are not parsed yet: most callers need the status only, and the fields are the larger part
/// of the cost of reading a response. Malformed heads were refused before.
package protocol ResponseHeadSource: AnyObject, Sendable {
    /// Status and header fields, read at the first call.
    var head: HTTPResponse { get }
}
