public import HTTPTypes

/// Sends HTTP requests over pooled connections. This is what callers use, and what decorators wrap and implement.
///
/// It has one requirement, so a decorator of your own implements one function. The pool behind a client, with its limits and
/// its shutdown, is an ``ObservablePool``, which stays with whoever made it.
public protocol PooledHTTPClient: Sendable {
    /// Sends a request and returns the response as soon as its head has arrived.
    ///
    /// A response of any status is a success. Cancelling the task cancels the request, whether it is queued, connecting
    /// or in flight.
    ///
    /// - Parameters:
    ///   - request: scheme, authority, path, method and header fields. `Content-Length` is written by the client.
    ///   - body: the body to send.
    ///   - options: what is different for this request.
    /// - Throws: ``PoolError``, or `CancellationError` when the task was cancelled.
    func execute(_ request: HTTPRequest, body: HTTPRequestBody, options: RequestOptions) async throws -> PooledResponse
}
