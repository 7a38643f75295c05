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
        /// The request header fields that decide what the response is; empty if none does.
        var vary = ""
        var isGzip = false
    }

    let registry: PoolRegistry

    /// The distinct warnings about the pools: untested libraries and unknown variables.
    var cautions: [String] { Set(registry.readings().flatMap(\.cautions)).sorted() }

    static let allowedMethods = "GET, HEAD"

    /// Renders the response to a request, on the caller's thread. It waits only for the pools' locks, which are
    /// held briefly.
    ///
    /// - Parameters:
    ///   - target: the request target. Only `name[]` of its query counts, and nothing of it is repeated.
    ///   - headers: of these, `Accept` and `Accept-Encoding` count.
    func answer(method: HTTPMethod, target: String, headers: HTTPHeaders = HTTPHeaders()) -> Answer {
        guard method == .GET || method == .HEAD else {
            let text = "this endpoint is read-only; allowed: \(Self.allowedMethods)\n"
            return Answer(status: .methodNotAllowed, body: Array(text.utf8), isMethodRefused: true)
        }
        switch target.prefix(while: { $0 != "?" }) {
        case "/metrics":
            return compressed(metrics(target: target, headers: headers), headers)
        case "/":
            let text = StatusPage.text(registry.readings(), pools: PoolCensus.counts)
            return compressed(Answer(body: Array(text.utf8)), headers)
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

    private func metrics(target: String, headers: HTTPHeaders) -> Answer {
        let format = Exposition.Format(accept: headers.list("Accept"))
        let body = Exposition.render(
            registry.readings(),
            process: .current(),
            as: format,
            only: FamilyNames.requested(by: target)
        )
        return Answer(contentType: format.contentType, body: body, vary: "Accept")
    }

    /// The same response, compressed if the request wants that.
    private func compressed(_ answer: Answer, _ headers: HTTPHeaders) -> Answer {
        var answer = answer
        answer.vary += answer.vary.isEmpty ? "Accept-Encoding" : ", Accept-Encoding"
        let codings = ContentCodings(headers.list("Accept-Encoding"))
        guard codings.wantsGzip(bytes: answer.body.count), let body = Gzip.compressed(answer.body) else {
            return answer
        }
        answer.body = body
        answer.isGzip = true
        return answer
    }
}

extension HTTPHeaders {
    /// All values of a list header as one; empty without the header.
    fileprivate func list(_ name: String) -> String { self[name].joined(separator: ",") }
}
