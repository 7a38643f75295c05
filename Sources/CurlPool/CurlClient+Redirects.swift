import HTTPPool
import HTTPTypes

extension CurlClient {
    /// Sends a request and follows the redirects that its options allow. Each hop acquires a connection of its own.
    func executeFollowing(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        let first = try Origin(scheme: request.scheme, authority: request.authority)
        var isForeign = false
        var (request, body) = (request, body)
        let total = TotalTimeout(options, defaults: configuration)
        let submitted = MonotonicTime.now()
        var elapsed: Duration { .nanoseconds(Int64(clamping: MonotonicTime.now() - submitted)) }
        var followed = 0
        while true {
            let response: PooledResponse
            do {
                let options = try total.options(for: request, after: elapsed)
                response = try await exchange(request, body: body, options: options, isForeign: isForeign)
            } catch let error as PoolError {
                throw total.whole(error, after: elapsed)
            }
            switch try options.redirects.decision(on: response.head, to: request, body: body, followed: followed) {
            case .answer: return response
            case .follow(let next, let rest):
                // Frees the connection before the next hop waits for one.
                try await response.body.drain()
                (request, body) = (next, rest)
                isForeign = try Origin(scheme: request.scheme, authority: request.authority) != first
                followed += 1
            }
        }
    }
}
