import HTTPPool
import HTTPTypes
import LoopbackUpstream

/// Chooses the requests of the load.
struct Workload: Sendable {
    /// A kind of request that a call site sends to the loopback upstream.
    struct Kind: Sendable {
        let site: CallSite
        let method: HTTPRequest.Method
        let path: String
        var body = HTTPRequestBody.none
    }

    /// The typical traffic of a gateway: mostly tool calls, some of them slow, and the requests that support them.
    static let everyday = Mix<Kind>([
        (weight: 34, element: Kind(site: .toolCalls, method: .post, path: "/echo", body: toolCall)),
        (weight: 6, element: Kind(site: .toolCalls, method: .get, path: "/slow")),
        (weight: 15, element: Kind(site: .tokenExchange, method: .post, path: "/echo", body: tokenGrant)),
        (weight: 15, element: Kind(site: .discovery, method: .get, path: "/fast")),
        (weight: 16, element: Kind(site: .catalog, method: .get, path: "/fast")),
        (weight: 4, element: Kind(site: .catalog, method: .get, path: "/large?bytes=65536")),
        (weight: 10, element: Kind(site: .peers, method: .get, path: "/mix")),
    ])
    private static let toolCall: HTTPRequestBody = #"{"method":"tools/call","params":{"name":"search","arguments":{}}}"#
    private static let tokenGrant: HTTPRequestBody = "grant_type=client_credentials&scope=tools"

    private let targets: [Target]
    private let upstream: String

    /// Sends requests to a loopback upstream.
    init(upstream authority: String) {
        targets = []
        upstream = authority
    }

    /// Sends GET requests to the given URLs in turn. At least one is required.
    init(targets: [Target]) {
        precondition(!targets.isEmpty)
        self.targets = targets
        upstream = ""
    }

    /// The request with the given number, which selects the target.
    func call(number: UInt64, using random: inout some RandomNumberGenerator) -> LoadCall {
        let kind = Self.everyday.pick(using: &random)
        guard !targets.isEmpty else {
            let request = HTTPRequest(method: kind.method, scheme: "http", authority: upstream, path: kind.path)
            return LoadCall(site: kind.site, request: request, body: kind.body)
        }
        let target = targets[Int(number % UInt64(targets.count))]
        let request = HTTPRequest(
            method: .get,
            scheme: target.scheme,
            authority: target.authority,
            path: target.path
        )
        return LoadCall(site: kind.site, request: request, body: .none)
    }
}
