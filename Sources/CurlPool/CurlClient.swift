import Glibc
public import HTTPPool
public import HTTPTypes

/// The pooled client on libcurl: HTTP/1.1, connections shared by all callers, limits and timeouts in force.
///
/// Make one for the process, and end it with ``shutdown(_:)``. Its work is done on a thread of its own, so it goes on
/// when every thread of Swift's concurrency is busy.
public final class CurlClient: PooledHTTPClient, ObservablePool, ConfiguredClient {
    /// The limits and timeouts in force, each with its source.
    public var configuration: PoolConfiguration { settings.configuration }
    /// The versions of libcurl and of its TLS library.
    public let backend: PoolBackend
    private let mailbox: Mailbox
    private let settings: PoolSettings
    private let defaultHeaders: DefaultHeaders
    /// What of them goes to an origin that an answer pointed to.
    private let foreignHeaders: DefaultHeaders
    /// Those without a proxy's credentials.
    private let originHeaders: DefaultHeaders
    /// Which way requests go; `nil` where no proxy has to do with any.
    private let proxies: ProxyRules?
    /// How many times its size a body may unpack to; `nil` where none is unpacked.
    private let maxRatio: Int?

    /// Starts the pool. It opens no connection yet.
    ///
    /// - Throws: `ConfigurationError` for values that are not allowed, `PoolError` with code `outOfResources` when the
    ///   system gives no thread or descriptor.
    public convenience init(_ configuration: PoolConfiguration = PoolConfiguration()) throws {
        try self.init(configuration, resolver: .process)
    }

    /// Starts a pool that has its names looked up by another resolver than that of the process.
    package init(_ configuration: PoolConfiguration, resolver: Resolver) throws {
        try configuration.validate()
        let settings = PoolSettings(configuration)
        let transport = try TransportOptions(configuration)
        let driver = try CurlDriver(settings, transport, resolver)
        guard let backend = Libcurl.backend, SystemThread.start("poolscope-curl", driver.run) == 0 else {
            driver.abandon()
            throw PoolError(.outOfResources, "the system gave the pool no thread", phase: .submit)
        }
        self.settings = settings
        self.backend = backend
        mailbox = driver.mailbox
        executor = driver.executor
        maxRatio = if case .on(let maxRatio) = configuration.transport.decompression { maxRatio } else { nil }
        let (headers, unpacks) = (configuration.transport.defaultHeaders, maxRatio != nil)
        defaultHeaders = DefaultHeaders(headers, unpacks: unpacks)
        foreignHeaders = DefaultHeaders(headers.withoutCredentials, unpacks: unpacks)
        originHeaders = DefaultHeaders(headers.withoutProxyCredentials, unpacks: unpacks)
        proxies = transport.isDirect ? nil : transport.proxies
        PoolCensus.poolCreated()
    }

    /// Checks a configuration as a pool that is made from it does, and makes none.
    ///
    /// - Throws: `ConfigurationError` for values that are not allowed, and for certificates and keys that cannot be read or
    ///   are not PEM; ``PoolError`` with code `outOfResources`.
    public static func check(_ configuration: PoolConfiguration) throws {
        try configuration.validate()
        _ = try TransportOptions(configuration)
    }

    /// A pool that nobody shut down ends at once with the last reference to it.
    deinit { _ = mailbox.post(.shutDown(.immediate, nil)) }

    /// Sends a request and returns the answer, whatever its status, as soon as its head has come.
    ///
    /// A small body usually comes with the head; then it is in memory, and the connection is free for the next request.
    /// Otherwise it is a stream, and the request holds its connection until that has ended. Redirects are followed where
    /// the options ask for it. A reused connection that turns out to be dead costs an idempotent request one retry on a
    /// new one; any other request fails then, unless nothing of it had been sent.
    ///
    /// - Throws: `PoolError`; `CancellationError` when the task is cancelled, in whatever state the request is.
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

    /// Sends one request and returns its answer, wherever that points.
    ///
    /// - Parameter isForeign: an answer of another origin has led to this one, which is given no credentials.
    func exchange(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions,
        isForeign: Bool = false
    ) async throws -> PooledResponse {
        let exchange = try exchange(for: request, body: body, options: options, isForeign: isForeign)
        try Task.checkCancellation()
        exchange.upload?.start(for: exchange, mailbox)
        let response = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in submit(exchange, continuation) }
        } onCancel: {
            mailbox.cancel(exchange)
        }
        return try parsed(response, of: exchange)
    }

    // What needs no waiting is kept out of the function that waits: what that holds lies beside every request in the queue.

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

    /// Whether a proxy reads the request. `Proxy-Authorization` is for that proxy (RFC 9110, 11.7.2): through a tunnel, and
    /// where the proxy is not used, the origin would read it. Without a proxy, the caller alone knows whom it is for.
    private func readsRequest(_ proxies: ProxyRules, _ request: HTTPRequest) throws -> Bool {
        let origin = try Origin(scheme: request.scheme, authority: request.authority)
        return origin.scheme == "http" && proxies.route(to: origin) != .direct
    }

    @inline(never)
    private func parsed(_ response: RawResponse, of exchange: Exchange) throws -> PooledResponse {
        // Whatever happens from here on, the rest of the body has an owner.
        let rest = response.stream.map { ResponseReader($0, of: exchange, mailbox: mailbox) }
        let origin = exchange.request.origin
        let unpacking =
            exchange.request.unpacks
            ? maxRatio.map {
                UnpackingOrder(maxRatio: $0, origin: origin, submitted: exchange.submitted)
            } : nil
        return try response.parsed(from: origin, rest: rest, unpacking: unpacking)
    }

    private func submit(_ exchange: Exchange, _ continuation: Exchange.Continuation) {
        switch mailbox.submit(exchange, continuation: continuation) {
        case .accepted: break
        case .cancelled:
            exchange.upload?.close()
            continuation.resume(throwing: CancellationError())
        case .ended(let lastNumber, let observer):
            mailbox.report(Refusal(origin: exchange.request.origin, lastNumber: lastNumber), to: observer)
            var error = CurlDriver.isShutDown
            error.origin = exchange.request.origin
            exchange.upload?.close()
            continuation.resume(throwing: error)
        }
    }

    /// Runs tasks on the pool's own thread: `withTaskExecutorPreference(pool.executor) { … }`.
    ///
    /// A request then costs no change of threads, which matters to services that do little more than pass responses on.
    /// A task that blocks or computes for long holds up the whole pool; `http_client_pool_driver_stall_seconds` shows it.
    public let executor: (any TaskExecutor)?

    /// What the pool's thread is doing.
    public var activity: ThreadActivity { mailbox.busySince.map { .working(since: $0) } ?? .asleep }

    /// Installs the one observer, which is called with every turn, on the pool's thread.
    ///
    /// - Throws: `PoolError` with code `observerRefused` if there is one, or a request came before.
    public func attach(_ observer: any PoolObserver) throws { try mailbox.attach(observer) }

    /// Requests that are in no turn yet; see `ObservablePool`.
    public func pendingSubmissions() -> [PendingSubmission] { mailbox.pendingSubmissions() }

    /// Puts other limits and timeouts in force; see `ObservablePool`.
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

    /// Refuses new requests, lets the rest end as `policy` says, and returns when no connection, no descriptor and no
    /// thread is left.
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
