import FaultServer
import HTTPPool
import HTTPTypes
import Synchronization
import Testing

/// A request to a fault server, with a token that no other has.
struct Question: Sendable {
    let fault: Fault
    let method: HTTPRequest.Method
    let token: String
    let bodyBytes: Int
    private let scheme: String
    private let authority: String
    /// Lives as long as somebody asks it.
    private let server: FaultServer?

    private static let name = HTTPField.Name("x-token")
    private static let asked = Atomic<Int>(0)

    init(
        _ fault: Fault = .plain,
        _ method: HTTPRequest.Method = .get,
        to server: FaultServer,
        scheme: String? = nil,
        bodyBytes: Int = 0
    ) {
        self.fault = fault
        self.method = method
        self.bodyBytes = bodyBytes
        self.scheme = scheme ?? server.door.scheme
        self.server = server
        authority = server.authority
        token = Self.newToken()
    }

    /// A request to somebody who speaks TLS and is not trusted to answer.
    init(toTLS authority: String) {
        fault = .plain
        method = .get
        bodyBytes = 0
        scheme = "https"
        server = nil
        self.authority = authority
        token = Self.newToken()
    }

    private static func newToken() -> String { "t\(asked.add(1, ordering: .relaxed).newValue)" }

    var request: HTTPRequest {
        var request = HTTPRequest(method: method, scheme: scheme, authority: authority, path: "/\(fault)")
        if let name = Self.name { request.headerFields[name] = token }
        return request
    }

    var body: HTTPRequestBody { bodyBytes == 0 ? .none : .bytes(TokenText.bytes(of: token, count: bodyBytes)) }

    /// Sends it and reads the answer to its end.
    func ask(_ client: some PooledHTTPClient, options: RequestOptions = RequestOptions()) async throws -> Answer {
        let response = try await client.execute(request, body: body, options: options)
        let body = try await response.body.collect(upTo: 1 << 24)
        return Answer(
            status: response.status.code,
            token: Self.name.flatMap { response.head.headerFields[$0] },
            body: body
        )
    }

    /// Whether it is the answer to this question and no other, and all of it.
    func isAnswered(by answer: Answer) -> Bool {
        guard let expected = fault.answer(to: method.rawValue) else { return false }
        return answer.status == expected.status && answer.token == token && answer.body.count == expected.bodyBytes
            && TokenText.isText(answer.body, of: token)
    }
}

struct Answer: Sendable {
    let status: Int
    let token: String?
    let body: [UInt8]
}
