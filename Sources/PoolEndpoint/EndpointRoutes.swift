import HTTPPool
import NIOHTTP1
import PoolMetrics

/// What the endpoint answers: three paths, read only.
struct EndpointRoutes: Sendable {
    /// An answer before it is written. To HEAD the same is written without its body.
    struct Answer: Sendable, Hashable {
        var status: HTTPResponseStatus = .ok
        var contentType = "text/plain; charset=utf-8"
        var body: [UInt8]
        var isMethodRefused = false
    }

    let registry: PoolRegistry

    /// What should be known of the pools, once each: of the libraries underneath, and of variables that are not settings.
    var cautions: [String] { Set(registry.readings().flatMap(\.cautions)).sorted() }

    static let allowedMethods = "GET, HEAD"

    /// Answers a request. It renders on the caller's thread and waits for nothing but the pools' short locks.
    ///
    /// - Parameter target: the path of the request line. A query is passed over and never repeated.
    func answer(method: HTTPMethod, target: String) -> Answer {
        guard method == .GET || method == .HEAD else {
            let text = "this endpoint is read only; allowed: \(Self.allowedMethods)\n"
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
                not found; there are
                /           the pools, for people
                /metrics    the pools, for Prometheus
                /-/healthy  says ok

                """
            return Answer(status: .notFound, body: Array(text.utf8))
        }
    }
}
