import HTTPPool
import NIOHTTP1
import PoolMetrics

/// The routes of the endpoint: three read-only paths.
struct EndpointRoutes: Sendable {
    let registry: PoolRegistry
    /// Whether `/metrics` has the families about the process.
    var hasProcess = true
    /// What `/metrics` reports about the endpoint itself; `nil` for nothing.
    var counters: EndpointCounters?

    /// The distinct warnings about the pools: untested libraries and unknown variables.
    var cautions: [String] { Set(registry.readings().flatMap(\.cautions)).sorted() }

    static let allowedMethods = "GET, HEAD"

    /// Renders the response to a request, on the caller's thread. It waits only for the pools' locks, which are
    /// held briefly.
    ///
    /// - Parameters:
    ///   - path: the path, decoded.
    ///   - query: the query with its question mark. Only `name[]` counts, and nothing of it is repeated.
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
        case .metrics:
            return compressed(metrics(query: query, headers: headers), headers)
        case .status:
            let text = StatusPage.text(registry.readings(), pools: PoolCensus.counts)
            return compressed(EndpointResponse(page: page, body: Array(text.utf8)), headers)
        case .healthy:
            return EndpointResponse(page: page, body: Array("ok\n".utf8))
        default:
            let text = """
                not found; available paths:
                /           the pools, for people
                /metrics    the pools, for Prometheus
                /-/healthy  health check

                """
            return EndpointResponse(page: page, status: .notFound, body: Array(text.utf8))
        }
    }

    private static func page(_ path: String) -> EndpointReading.Page {
        switch path {
        case "/metrics": .metrics
        case "/": .status
        case "/-/healthy": .healthy
        default: .other
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
