import Glibc
public import HTTPPool
public import HTTPTypes

/// A pooled HTTP client built on libcurl: HTTP/1.1, and HTTP/2 where the transport settings allow it, with
/// connections shared by all callers and enforced limits and timeouts.
///
/// Create one per process and end it with ``shutdown(_:)``. It does its work on a dedicated thread, so it makes
/// progress even when every thread of Swift's cooperative pool is busy.
public final class CurlClient: PooledHTTPClient, ObservablePool, ConfiguredClient {
    /// The limits and timeouts in force, each with its source.
    public var configuration: PoolConfiguration { settings.configuration }
    /// The versions of libcurl and of its TLS library.
    public let backend: PoolBackend
    private let mailbox: Mailbox
    private let board: LeaseBoard
    private let settings: PoolSettings
    private let defaultHeaders: DefaultHeaders
    /// The default headers sent to an origin reached through a redirect: those without credentials.
    private let foreignHeaders: DefaultHeaders
    /// The default headers without proxy credentials.
    private let originHeaders: DefaultHeaders
    /// Decides the route of each request; `nil` when no request goes through a proxy.
    private let proxies: ProxyRules?
    /// The maximum ratio of unpacked to received body size; `nil` when decompression is off.
    private let maxRatio: Int?

    /// Starts the pool. Opens no connection.
    ///
    /// - Throws: `ConfigurationError` for values that are not allowed; `PoolError` with code `outOfResources`
    ///   when the system has no thread, descriptor or memory left for the pool.
    public convenience init(_ configuration: PoolConfiguration = PoolConfiguration()) throws {
        try self.init(configuration, resolver: .process)
    }

    /// Starts a pool that uses `resolver` instead of the process-wide one.
    package init(_ configuration: PoolConfiguration, resolver: Resolver) throws {
        let files = try TransportFiles.checked(configuration)
        let settings = PoolSettings(configuration)
        let transport = TransportOptions(configuration, files)
        let driver = try CurlDriver(settings, transport, resolver)
        guard let backend = Libcurl.backend, SystemThread.start("poolscope-curl", driver.run) == 0 else {
            driver.abandon()
            throw PoolError(.outOfResources, "the system could not create a thread for the pool", phase: .submit)
        }
        self.settings = settings
        self.backend = backend
        mailbox = driver.mailbox
        board = driver.board
        executor = driver.executor
        maxRatio = if case .on(let maxRatio) = configuration.transport.decompression { maxRatio } else { nil }
        let (headers, unpacks) = (configuration.transport.defaultHeaders, maxRatio != nil)
        defaultHeaders = DefaultHeaders(headers, unpacks: unpacks)
        foreignHeaders = DefaultHeaders(headers.withoutCredentials, unpacks: unpacks)
        originHeaders = DefaultHeaders(headers.withoutProxyCredentials, unpacks: unpacks)
        proxies = transport.isDirect ? nil : transport.proxies
    }

    /// Validates a configuration as ``init(_:)`` does, without starting a pool.
    ///
    /// - Throws: `ConfigurationError` for values that are not allowed, for certificates and keys that cannot be read
    ///   or are not PEM, and for proxies of the environment that are not valid, all in one error; `PoolError` with
    ///   code `outOfResources`.
    public static func check(_ configuration: PoolConfiguration) throws {
        _ = try TransportFiles.checked(configuration)
    }

    /// The problems of a configuration that only the client finds, because they are not in the values themselves.
    ///
    /// - Throws: `PoolError` with code `outOfResources`.
    package static func problemsOutside(of configuration: PoolConfiguration) throws -> [ConfigurationError.Problem] {
        try TransportFiles(configuration).problems
    }

    /// Releasing the last reference to a pool that was not shut down shuts it down immediately.
    deinit { _ = mailbox.post(.shutDown(.immediate, nil)) }

    /// Sends a request and returns its response, whatever the status, as soon as the head has arrived.
    ///
    /// A small body usually arrives with the head. It is then held in memory, and the connection is already free
    /// for the next request. Otherwise the body is a stream, and the request holds its connection until the stream
    /// ends. Redirects are followed as `options` specify. If a reused connection turns out to be dead, the request
    /// is retried once on a new connection, provided that it is idempotent or that none of it was sent; otherwise
    /// it fails.
    ///
    /// - Throws: `PoolError`; `CancellationError` when the task is cancelled, at any stage of the request.
    public func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        guard options.redirects == .none else {
            return try await executeFollowing(request, body: body, options: options)
        }
        return try await exchange(request, body: body, options: options)
    }

    /// Sends one request and returns its response without following redirects.
    ///
    /// - Parameter isForeign: whether a redirect led here from another origin; the default headers are then sent
    ///   without credentials.
    func exchange(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions,
        isForeign: Bool = false
    ) async throws -> PooledResponse {
        let exchange = try exchange(for: request, body: body, options: options, isForeign: isForeign)
        if exchange.upload.isAnnouncedEmpty {
            let empty = try await HTTPRequestBody.confirmingEmpty(body, to: exchange.request.origin)
            return try await self.exchange(request, body: empty, options: options, isForeign: isForeign)
        }
        try Task.checkCancellation()
        exchange.upload.start(for: exchange, mailbox)
        let response = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in submit(exchange, continuation) }
        } onCancel: {
            mailbox.cancel(exchange)
        }
        return try parsed(response, of: exchange)
    }

    // The synchronous parts are kept out of `exchange(_:body:options:isForeign:)`: the frame of that async function
    // stays allocated for as long as the request is queued.

    @inline(never)
    private func exchange(
        for request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions,
        isForeign: Bool
    ) throws -> Exchange {
        let encoded =
            if let proxies, try !readsRequest(proxies, request) {
                try EncodedRequest(
                    request.withoutProxyCredentials,
                    body: body,
                    defaults: isForeign ? foreignHeaders : originHeaders
                )
            } else {
                try EncodedRequest(request, body: body, defaults: isForeign ? foreignHeaders : defaultHeaders)
            }
        return Exchange(encoded, options: options, defaults: settings.defaults)
    }

    /// Whether a proxy reads the request itself. `Proxy-Authorization` is meant for that proxy (RFC 9110, 11.7.2);
    /// through a tunnel, or on a direct connection, the origin would receive it. When the pool uses no proxy, the
    /// field is left to the caller.
    private func readsRequest(_ proxies: ProxyRules, _ request: HTTPRequest) throws -> Bool {
        let origin = try Origin(scheme: request.scheme, authority: request.authority)
        return origin.scheme == "http" && proxies.route(to: origin) != .direct
    }

    @inline(never)
    private func parsed(_ response: RawResponse, of exchange: Exchange) throws -> PooledResponse {
        response.accept()
        // Created before anything can throw, so that the rest of the body always has an owner.
        let rest = response.stream.map { ResponseReader($0, of: exchange, mailbox: mailbox) }
        let origin = exchange.request.origin
        let unpacking =
            exchange.request.unpacks
            ? maxRatio.map {
                UnpackingOrder(maxRatio: $0, origin: origin, submitted: exchange.submitted)
            } : nil
        return try response.parsed(
            from: origin,
            rest: rest,
            unpacking: unpacking,
            acquired: exchange.acquisition,
            submitted: exchange.submitted
        )
    }

    private func submit(_ exchange: Exchange, _ continuation: CallerSlot.Continuation) {
        switch mailbox.submit(exchange, continuation: continuation) {
        case .accepted: break
        case .cancelled:
            exchange.upload.close()
            continuation.resume(throwing: CancellationError())
        case .ended(let lastNumber, let observer):
            mailbox.report(Refusal(exchange, lastNumber: lastNumber), to: observer)
            var error = CurlDriver.isShutDown
            error.origin = exchange.request.origin
            exchange.upload.close()
            continuation.resume(throwing: error)
        }
    }

    /// Runs tasks on the pool's own thread: `withTaskExecutorPreference(pool.executor) { … }`.
    ///
    /// This avoids a thread switch per request, which matters to services that do little more than forward
    /// responses. A task that blocks or computes for long stalls the whole pool;
    /// `http_client_pool_driver_stall_seconds` shows that.
    public let executor: (any TaskExecutor)?

    /// Whether the pool's thread is working, and since when, or asleep.
    public var activity: ThreadActivity { mailbox.busySince.map { .working(since: $0) } ?? .asleep }

    /// Installs the pool's only observer. It is called once per turn, on the pool's thread.
    ///
    /// - Throws: `PoolError` with code `observerRefused` if an observer is already installed or a request has
    ///   already been submitted.
    public func attach(_ observer: any PoolObserver) throws { try mailbox.attach(observer) }

    /// What a request that holds a connection is doing; see `ObservablePool`.
    public func state(of request: RequestKey, since: MonotonicTime) -> LeaseState? {
        board.state(of: Int(request.index), since: since)
    }

    /// Requests that no turn has reported yet; see `ObservablePool`.
    public func pendingSubmissions() -> [PendingSubmission] { mailbox.pendingSubmissions() }

    /// Replaces the limits and timeouts; see `ObservablePool`.
    ///
    /// - Throws: `ConfigurationError` for values that are not allowed; `PoolError` with code `invalidRequest` if
    ///   the transport settings differ, or `shutdown` after the pool has ended.
    public func reconfigure(_ configuration: PoolConfiguration) async throws {
        try configuration.validate()
        guard configuration.transport == self.configuration.transport else {
            throw PoolError(.invalidRequest, "the transport of a pool cannot change while it runs", phase: .submit)
        }
        try await withUnsafeThrowingContinuation { continuation in
            if !mailbox.post(.reconfigure(configuration, continuation)) {
                continuation.resume(throwing: CurlDriver.isShutDown)
            }
        }
    }

    /// Refuses new requests, ends the running ones according to `policy`, and returns once all connections,
    /// descriptors and the thread have been released.
    public func shutdown(_ policy: ShutdownPolicy) async {
        await withUnsafeContinuation { continuation in
            if !mailbox.post(.shutDown(policy, continuation)) { continuation.resume() }
        }
    }
}

extension HTTPRequest {
    fileprivate var withoutProxyCredentials: HTTPRequest {
        var request = self
        request.headerFields = headerFields.withoutProxyCredentials
        return request
    }
}
