import NIOHTTP1
import Testing

@testable import PoolEndpoint

@Suite("Requests that are served in one turn")
struct SharedRenderingTests {
    private func request(
        _ method: HTTPMethod = .GET,
        _ path: String = "/metrics",
        _ query: String = "",
        _ headers: HTTPHeaders = [:]
    ) -> RequestGate.Admitted {
        RequestGate.Admitted(
            method: method,
            path: path,
            query: query,
            headers: headers,
            isLast: false,
            hasBody: false
        )
    }

    @Test("Equal requests are rendered once, whatever else they say; others each by themselves")
    func once() {
        var rendering = SharedRendering()
        var count = 0
        func bodies(_ requests: [RequestGate.Admitted]) -> [[UInt8]] {
            requests.map { request in
                rendering.response(to: request) { _ in
                    count += 1
                    return EndpointResponse(body: [UInt8(count)])
                }
                .response.body
            }
        }
        let equal = [request(), request(.GET, "/metrics", "", ["User-Agent": "a"]), request()]
        #expect(bodies(equal) == [[1], [1], [1]])
        let different = [
            request(.HEAD), request(.GET, "/"), request(.GET, "/metrics", "?name[]=a"),
            request(.GET, "/metrics", "", ["Accept": "text/html"]),
            request(.GET, "/metrics", "", ["Accept-Encoding": "gzip"]),
        ]
        #expect(bodies(different) == [[2], [3], [4], [5], [6]])
        #expect(bodies(equal) == [[1], [1], [1]])
    }

    @Test("All that did not ask right before are served in the next turn, of the others the first few")
    func turns() {
        var queue = TurnQueue(mostRepeated: 2)
        for id in 1...5 as ClosedRange<UInt64> { queue.add(id, isRepeated: id.isMultiple(of: 2) == false) }
        #expect(queue.takeFirst() == [2, 4])
        #expect(!queue.hasFirst)
        #expect(queue.takeRepeated() == [1, 3])
        #expect(queue.hasRepeated)
        #expect(queue.takeRepeated() == [5])
        #expect(!queue.hasRepeated)
        #expect(queue.takeRepeated() == [])
    }
}
