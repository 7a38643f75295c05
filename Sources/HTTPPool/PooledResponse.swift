public import HTTPTypes

/// The response to a request: the head, and the body, which may still be arriving.
public struct PooledResponse: Sendable {
    private enum Head: Sendable {
        case read(HTTPResponse)
        case unread(any ResponseHeadSource)
    }

    /// The status.
    public let status: HTTPResponse.Status
    /// The body; it can be read once.
    public let body: HTTPResponseBody
    private let storage: Head

    /// Creates a response.
    ///
    /// - Parameters:
    ///   - head: status and header fields.
    ///   - body: the body.
    ///   - connection: the connection on which it arrived, if the client knows.
    public init(head: HTTPResponse, body: HTTPResponseBody, connection: ResponseConnection? = nil) {
        status = head.status
        storage = connection == nil ? .read(head) : .unread(KnownHead(head, connection))
        self.body = body
    }

    /// Creates a response whose header fields are parsed on first use.
    package init(status: HTTPResponse.Status, head: any ResponseHeadSource, body: HTTPResponseBody) {
        self.status = status
        storage = .unread(head)
        self.body = body
    }

    private init(_ response: PooledResponse, body: HTTPResponseBody) {
        status = response.status
        storage = response.storage
        self.body = body
    }

    /// The same response with another body, as a decorator makes it. Header fields that were not parsed stay so.
    package func replacingBody(_ body: HTTPResponseBody) -> PooledResponse { PooledResponse(self, body: body) }

    /// Status and header fields.
    public var head: HTTPResponse {
        switch storage {
        case .read(let head): head
        case .unread(let source): source.head
        }
    }

    /// The connection on which it arrived, and what it took to get it; `nil` if the client does not know.
    public var connection: ResponseConnection? {
        switch storage {
        case .read: nil
        case .unread(let source): source.connection
        }
    }
}

extension PooledResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The status and the size of the body. Header field values and the body are never printed.
    public var description: String { "status \(status.code), \(body)" }

    /// Same as ``description``.
    public var debugDescription: String { description }

    /// The status only, so that `dump` does not show header fields.
    public var customMirror: Mirror { Mirror(self, children: ["status": status.code]) }
}

/// A response head whose fields are parsed on demand, because most callers need only the status and fields are the
/// larger part of the parsing cost. Malformed heads have been rejected already.
package protocol ResponseHeadSource: AnyObject, Sendable {
    /// Status and header fields, parsed at the first access.
    var head: HTTPResponse { get }
    /// See ``PooledResponse/connection``.
    var connection: ResponseConnection? { get }
}

/// A head that was parsed before, with its connection.
private final class KnownHead: ResponseHeadSource {
    let head: HTTPResponse
    let connection: ResponseConnection?

    init(_ head: HTTPResponse, _ connection: ResponseConnection?) {
        self.head = head
        self.connection = connection
    }
}
