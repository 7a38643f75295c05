import NIOCore
import NIOHTTP1

/// The responses of one turn: requests for the same are rendered once. They had all arrived before the rendering began,
/// so each gets what was true after it was sent.
struct SharedRendering {
    /// What a response depends on.
    private struct Subject: Hashable {
        let method: String
        let path: String
        let query: String
        let accept: [String]
        let codings: [String]

        init(_ request: RequestGate.Admitted) {
            method = request.method.rawValue
            path = request.path
            query = request.query
            accept = request.headers["Accept"]
            codings = request.headers["Accept-Encoding"]
        }
    }

    /// A response, with its body in memory that all connections share until they have written it.
    struct Rendered {
        let response: EndpointResponse
        let body: ByteBuffer

        init(_ response: EndpointResponse) {
            self.response = response
            body = ByteBuffer(bytes: response.body)
        }
    }

    private var rendered: [Subject: Rendered] = [:]

    /// The response to a request, from `render` unless an equal request was served in this turn.
    mutating func response(
        to request: RequestGate.Admitted,
        _ render: (RequestGate.Admitted) -> EndpointResponse
    ) -> Rendered {
        let subject = Subject(request)
        if let rendered = rendered[subject] { return rendered }
        let new = Rendered(render(request))
        rendered[subject] = new
        return new
    }
}
