import HTTPPool
import NIOHTTP1
import PoolMetrics
import PoolPages

/// The routes of the endpoint, all of them read-only.
struct EndpointRoutes: Sendable {
    let registry: PoolRegistry
    /// Whether `/metrics` has the families about the process.
    var hasProcess = true
    /// What `/metrics` reports about the endpoint itself; `nil` for nothing.
    var counters: EndpointCounters?
    var shutdown = ShutdownFlag()

    /// The distinct warnings about the pools: untested libraries and unknown variables.
    var cautions: [String] { Set(registry.readings().flatMap(\.cautions)).sorted() }

    static let allowedMethods = "GET, HEAD"

    /// Renders the response to a request, on the caller's thread. It waits only for the pools' locks, which are
    /// held briefly.
    ///
    /// - Parameters:
    ///   - path: the path, decoded.
    ///   - query: the query with its question mark. Of it, only the name of a parameter that a page does not have is repeated.
    ///     Scrapers and probes add parameters of their own, so only pages refuse them.
    ///   - headers: of these, `Accept` and `Accept-Encoding` count.
    func response(
        method: HTTPMethod,
        path: String,
        query: String = "",
        headers: HTTPHeaders = HTTPHeaders()
    ) -> EndpointResponse {
        let page = Self.page(path)
        guard method == .GET || method == .HEAD else {
            let text = "this endpoint is read-only; allowed: \(Self.allowedMethods)\n"
            var response = EndpointResponse(page: page, status: .methodNotAllowed, body: Array(text.utf8))
            response.isMethodRefused = true
            return response
        }
        switch page {
        case .metrics: return compressed(metrics(query: query, headers: headers), headers)
        case .healthy: return EndpointResponse(page: page, body: Array("ok\n".utf8))
        case .ready: return ready()
        case .other: return notFound()
        default:
            if let unknown = UnknownParameter(in: query, known: EndpointPages.parameters(of: page)) {
                return EndpointResponse(page: page, status: .badRequest, body: Array("\(unknown)\n".utf8))
            }
            let rendered = EndpointPages(registry: registry)
                .render(page, path: path, PageQuery(target: query), accept: headers.list("Accept"))
            guard let rendered else { return notFound() }
            var response = EndpointResponse(page: page, body: rendered.body)
            response.contentType = rendered.contentType
            response.policy = rendered.policy
            response.vary = "Accept"
            return compressed(response, headers)
        }
    }

    /// More pools than a process makes that keeps them to its end.
    private static let mostLastingPools = 20

    private func notFound() -> EndpointResponse {
        EndpointResponse(
            page: .other,
            status: .notFound,
            body: Array(("not found; available paths:\n" + EndpointPages.index).utf8)
        )
    }

    /// Whether the process takes requests: it has a pool, and neither a pool nor the process is ending. Load does not count.
    private func ready() -> EndpointResponse {
        let live = registry.readings().filter { !$0.hasEnded }
        let ending = live.count(where: \.isEnding)
        let obstacle: String? =
            if shutdown.isRaised {
                "the process is shutting down"
            } else if registry.poolsAdded > Self.mostLastingPools {
                // Clients are made again and again, and the end of one says nothing.
                nil
            } else if live.isEmpty {
                "no pool"
            } else if ending > 0 {
                "a pool is shutting down"
            } else {
                nil
            }
        guard let obstacle else { return EndpointResponse(page: .ready, body: Array("ready\n".utf8)) }
        let body = Array("not ready: \(obstacle)\n".utf8)
        return EndpointResponse(page: .ready, status: .serviceUnavailable, body: body)
    }

    private static func page(_ path: String) -> EndpointReading.Page {
        switch path {
        case "/metrics": .metrics
        case "/": .status
        case "/leases": .leases
        case "/queue": .queue
        case "/events": .events
        case "/config": .config
        case "/-/healthy": .healthy
        case "/-/ready": .ready
        default: path.hasPrefix("/pools/") ? .pools : .other
        }
    }

    private func metrics(query: String, headers: HTTPHeaders) -> EndpointResponse {
        let format = Exposition.Format(accept: headers.list("Accept"))
        let body = Exposition.render(
            registry.readings(),
            process: hasProcess ? .current() : nil,
            endpoint: counters?.current,
            as: format,
            only: FamilyNames.requested(by: query)
        )
        var response = EndpointResponse(page: .metrics, body: body)
        response.contentType = format.contentType
        response.vary = "Accept"
        return response
    }

    /// The same response, compressed if the request wants that.
    private func compressed(_ response: EndpointResponse, _ headers: HTTPHeaders) -> EndpointResponse {
        var response = response
        response.vary += response.vary.isEmpty ? "Accept-Encoding" : ", Accept-Encoding"
        let codings = ContentCodings(headers.list("Accept-Encoding"))
        guard codings.wantsGzip(bytes: response.body.count), let body = Gzip.compressed(response.body) else {
            return response
        }
        response.body = body
        response.isGzip = true
        return response
    }
}

extension HTTPHeaders {
    /// All values of a list header as one; empty without the header.
    fileprivate func list(_ name: String) -> String { self[name].joined(separator: ",") }
}
