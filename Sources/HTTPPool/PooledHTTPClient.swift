public import HTTPTypes

/// Sends HTTP requests over pooled connections. Callers use it; decorators wrap and implement it.
///
/// It has one requirement, so that a decorator implements one function. The pool behind a client, with its limits
/// and shutdown, is an ``ObservablePool``, kept by the code that created it.
public protocol PooledHTTPClient: Sendable {
    /// Sends a request and returns the response as soon as its head has arrived.
    ///
    /// A response of any status is a success. Cancelling the task cancels the request, whether it is queued,
    /// connecting or in flight.
    ///
    /// - Parameters:
    ///   - request: scheme, authority, path, method and header fields. The client sets `Content-Length`.
    ///   - body: the request body.
    ///   - options: overrides for this request.
    /// - Throws: ``PoolError``, or `CancellationError` if the task was cancelled.
    func execute(_ request: HTTPRequest, body: HTTPRequestBody, options: RequestOptions) async throws -> PooledResponse
}
