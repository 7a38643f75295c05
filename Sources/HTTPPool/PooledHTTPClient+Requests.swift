public import HTTPTypes

extension PooledHTTPClient {
    /// Sends a request.
    ///
    /// ```swift
    /// let response = try await client.execute(request, timeout: .seconds(5), site: "catalog")
    /// ```
    ///
    /// - Parameters:
    ///   - request: scheme, authority, path, method and header fields. The client sets `Content-Length`.
    ///   - body: the request body.
    ///   - timeout: the total timeout, from submission to the last byte of the response; by default the client's.
    ///   - site: the place in the service that sends the request.
    /// - Throws: ``PoolError``, or `CancellationError` if the task was cancelled.
    public func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody = .none,
        timeout: RequestTimeout = .inherited,
        site: CallSite = .current
    ) async throws -> PooledResponse {
        var options = RequestOptions(site: site)
        if timeout != .inherited { options.timeouts.total = timeout }
        return try await execute(request, body: body, options: options)
    }

    /// Sends a request to a URL.
    ///
    /// ```swift
    /// let items = try await client.execute("https://api.example.com/items").text()
    /// ```
    ///
    /// - Parameters:
    ///   - url: an absolute URL. Non-ASCII bytes are percent-encoded; a fragment is not sent.
    ///   - method: the method; GET by default.
    ///   - headers: the header fields.
    ///   - body: the request body.
    ///   - timeout: the total timeout, from submission to the last byte of the response; by default the client's.
    ///   - site: the place in the service that sends the request.
    /// - Throws: ``PoolError``, with code `invalidRequest` for an invalid URL, whose text the error never repeats;
    ///   `CancellationError` if the task was cancelled.
    public func execute(
        _ url: String,
        method: HTTPRequest.Method = .get,
        headers: HTTPFields = [:],
        body: HTTPRequestBody = .none,
        timeout: RequestTimeout = .inherited,
        site: CallSite = .current
    ) async throws -> PooledResponse {
        let request = try HTTPRequest(method: method, url: url, headerFields: headers)
        return try await execute(request, body: body, timeout: timeout, site: site)
    }

    /// A view of this client that attributes requests to a call site unless their options set one.
    public func attributed(to site: CallSite) -> any PooledHTTPClient { AttributedClient(client: self, site: site) }
}

/// Attributes requests to a default call site.
private struct AttributedClient: PooledHTTPClient {
    let client: any PooledHTTPClient
    let site: CallSite

    func execute(_ request: HTTPRequest, body: HTTPRequestBody, options: RequestOptions) async throws -> PooledResponse
    {
        var options = options
        if options.site == .unattributed { options.site = site }
        return try await client.execute(request, body: body, options: options)
    }
}

extension HTTPRequest {
    /// Creates a request to an absolute URL, such as `https://api.example.com/items?page=2`.
    ///
    /// - Throws: ``PoolError`` with code `invalidRequest`. The error text never repeats the URL, which may contain
    ///   a password or a token.
    public init(method: Method = .get, url: String, headerFields: HTTPFields = [:]) throws(PoolError) {
        guard let parts = URIReference(Array(url.utf8)), let scheme = parts.scheme else {
            throw .invalidRequest(
                "the URL must begin with a scheme, such as https://, and contain no control characters"
            )
        }
        // Throws a specific error for an invalid authority.
        _ = try Origin(scheme: scheme, authority: parts.authority)
        self.init(
            method: method,
            scheme: scheme,
            authority: parts.authority,
            path: parts.target,
            headerFields: headerFields
        )
    }
}
