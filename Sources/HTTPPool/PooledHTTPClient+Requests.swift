public import HTTPTypes

extension PooledHTTPClient {
    /// Sends a request.
    ///
    /// ```swift
    /// let response = try await client.execute(request, timeout: .seconds(5), site: "catalog")
    /// ```
    ///
    /// - Parameters:
    ///   - request: scheme, authority, path, method and header fields. `Content-Length` is written by the client.
    ///   - body: the body to send.
    ///   - timeout: from submission to the last byte of the response; the client's unless given.
    ///   - site: the place in the service that the request comes from.
    /// - Throws: ``PoolError``, or `CancellationError` when the task was cancelled.
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
    ///   - url: an absolute URL. Bytes beyond ASCII are sent as percent escapes, a fragment is not sent.
    ///   - method: GET unless given.
    ///   - headers: header fields.
    ///   - body: the body to send.
    ///   - timeout: from submission to the last byte of the response; the client's unless given.
    ///   - site: the place in the service that the request comes from.
    /// - Throws: ``PoolError``, with code `invalidRequest` for what is not a URL, whose text never repeats it;
    ///   `CancellationError` when the task was cancelled.
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

    /// The same client, whose requests are attributed to a call site unless their options name one.
    public func attributed(to site: CallSite) -> any PooledHTTPClient { AttributedClient(client: self, site: site) }
}

/// A client whose requests have a call site of their own.
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
    /// A request to an absolute URL, such as `https://api.example.com/items?page=2`.
    ///
    /// - Throws: ``PoolError`` with code `invalidRequest`, whose text never repeats the URL: it may hold a password or a token.
    public init(method: Method = .get, url: String, headerFields: HTTPFields = [:]) throws(PoolError) {
        guard let parts = URIReference(Array(url.utf8)), let scheme = parts.scheme else {
            throw .invalidRequest("the URL must begin with a scheme, such as https://, and hold no control character")
        }
        // Names what is wrong with the authority.
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
