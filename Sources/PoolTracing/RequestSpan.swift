import HTTPPool
import HTTPTypes
import Synchronization
import Tracing

/// The span of one request. It ends once, whoever is first to end it.
final class RequestSpan: Sendable {
    private let span: any Span
    private let hasEnded = Atomic(false)

    init(_ span: any Span) { self.span = span }

    var context: ServiceContext { span.context }

    func begin(_ attributes: RequestAttributes) { span.updateAttributes { attributes.set(in: &$0) } }

    /// The head of the response has arrived.
    func responded(_ response: borrowing PooledResponse) {
        let (status, connection) = (response.status.code, response.connection)
        span.updateAttributes { attributes in
            attributes.set("http.response.status_code", value: .int64(Int64(status)))
            connection?.set(in: &attributes)
        }
        guard status >= 400 else { return }
        // The conventions want no description where the status code says why.
        fail(type: "\(status)", message: nil)
    }

    /// The request has ended; `error` is why it failed, if it did.
    func end(_ error: (any Error)? = nil) {
        guard !hasEnded.exchange(true, ordering: .acquiringAndReleasing) else { return }
        switch error {
        case nil: break
        // An error of the client contains no secrets.
        case let error as PoolError:
            span.updateAttributes { error.set(in: &$0) }
            fail(type: error.code.description, message: error.description)
        case is CancellationError: fail(type: "cancelled", message: nil)
        // Another decorator's, or that of a request body. Its text is unknown and may contain anything.
        case let error?: fail(type: String(reflecting: type(of: error)), message: nil)
        }
        span.end()
    }

    private func fail(type: String, message: String?) {
        span.updateAttributes { $0.set("error.type", value: .string(type)) }
        span.setStatus(SpanStatus(code: .error, message: message))
    }
}
