public import HTTPPool
public import HTTPTypes
public import Tracing

/// A client that makes each request a span of swift-distributed-tracing and sends the trace's context with it. It wraps
/// another client and is used in its place.
///
/// ```swift
/// InstrumentationSystem.bootstrap(tracer)
/// let client = try InstrumentedClient.shared(tracer: tracer)
/// ```
///
/// Spans follow OpenTelemetry's stable semantic conventions for HTTP clients. The span begins when the request is submitted,
/// so the wait for a connection is in it, and ends when the body of the response has been read to its end, has failed, or was
/// discarded or released; a body that arrived together with the head ends it at once. A request that failed ends it with
/// the status `error`, and so does a status from 400 on.
///
/// Attributes contain no userinfo, query, fragment, header field or body. A path is part of `url.full`.
///
/// Around a client that retries, put the tracing inside, and each attempt is a span with `http.request.resend_count`:
/// `RetryingClient` around a traced client. Redirects that the client follows by itself are one span, with the URL of the
/// first request. A request passes one traced client only: another one further inside leaves it alone.
public final class TracedClient: PooledHTTPClient {
    private let client: any PooledHTTPClient
    /// `nil` if there is nothing to trace to. A class, because the test of an existential would copy it for each request.
    private let spans: Spans?

    /// Wraps a client.
    ///
    /// - Parameters:
    ///   - client: sends the requests.
    ///   - tracer: makes the spans and injects the context. By default the tracer that is bootstrapped at this moment; without
    ///     one, requests are passed on as they are, also if one is bootstrapped later.
    public init(_ client: any PooledHTTPClient, tracer: any Tracer = InstrumentationSystem.tracer) {
        self.client = client
        spans = tracer is NoOpTracer ? nil : Spans(tracer)
    }

    /// Sends a request with the wrapped client.
    ///
    /// - Throws: the errors of the wrapped client.
    public func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        guard let spans, !options.isTraced else {
            return try await client.execute(request, body: body, options: options)
        }
        return try await spans.execute(request, body: body, options: options, by: client)
    }
}

/// Makes requests spans.
private final class Spans: Sendable {
    private let tracer: any Tracer

    init(_ tracer: any Tracer) { self.tracer = tracer }

    func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions,
        by client: any PooledHTTPClient
    ) async throws -> PooledResponse {
        try await execute(request, body: body, options: options, by: client, in: tracer)
    }

    private func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions,
        by client: any PooledHTTPClient,
        in tracer: some Tracer
    ) async throws -> PooledResponse {
        let method = RequestAttributes.name(of: request.method)
        let span = RequestSpan(tracer.startSpan(method ?? "HTTP", ofKind: .client))
        span.begin(RequestAttributes(request, options))
        var (request, options) = (request, options)
        options.isTraced = true
        // Fields of the same name, from another context, are replaced.
        tracer.inject(span.context, into: &request.headerFields, using: FieldInjector())
        do {
            let response = try await ServiceContext.withValue(span.context) { [request, options] in
                try await client.execute(request, body: body, options: options)
            }
            span.responded(response)
            guard let source = response.body.source else {
                span.end()
                return response
            }
            return response.replacingBody(HTTPResponseBody(source: TracedBody(source, span)))
        } catch {
            span.end(error)
            throw error
        }
    }
}

extension PooledHTTPClient {
    /// This client with each request as a span; the client itself if there is nothing to trace to, which then costs nothing.
    ///
    /// - Parameter tracer: makes the spans; by default the tracer that is bootstrapped at this moment.
    public func traced(by tracer: any Tracer = InstrumentationSystem.tracer) -> any PooledHTTPClient {
        if tracer is NoOpTracer { self } else { TracedClient(self, tracer: tracer) }
    }
}

/// Writes a trace's context into header fields.
private struct FieldInjector: Injector {
    func inject(_ value: String, forKey key: String, into fields: inout HTTPFields) {
        guard let name = HTTPField.Name(key) else { return }
        fields[name] = value
    }
}
