import HTTPPool
import NIOHTTP1
import PoolMetrics

/// The routes of the endpoint: three read-only paths.
struct EndpointRoutes: Sendable {
    /// A response before it is written. HEAD gets it without the body.
    struct Answer: Sendable, Hashable {
        var status: HTTPResponseStatus = .ok
        var contentType = "text/plain; charset=utf-8"
        var body: [UInt8]
        var isMethodRefused = false
    }

    let registry: PoolRegistry

    /// The distinct warnings about the pools: untested libraries and unknown variables.
    var cautions: [String] { Set(registry.readings().flatMap(\.cautions)).sorted() }

    static let allowedMethods = "GET, HEAD"

    /// Renders the response to a request, on the caller's thread. It waits only for the pools' locks, which are
    /// held briefly.
    ///
    /// - Parameter target: the request target. Its query is ignored and never repeated.
    func answer(method: HTTPMethod, target: String) -> Answer {
        guard method == .GET || method == .HEAD else {
            let text = "this endpoint is read-only; allowed: \(Self.allowedMethods)\n"
            return Answer(status: .methodNotAllowed, body: Array(text.utf8), isMethodRefused: true)
        }
        switch target.prefix(while: { $0 != "?" }) {
        case "/metrics":
            let body = Exposition.text(registry.readings(), process: .current())
            return Answer(contentType: Exposition.contentType, body: body)
        case "/":
            return Answer(body: Array(StatusPage.text(registry.readings(), pools: PoolCensus.counts).utf8))
        case "/-/healthy":
            return Answer(body: Array("ok\n".utf8))
        default:
            let text = """
                not found; available paths:
                /           the pools, for people
                /metrics    the pools, for Prometheus
                /-/healthy  health check

                """
            return Answer(status: .notFound, body: Array(text.utf8))
        }
    }
}
