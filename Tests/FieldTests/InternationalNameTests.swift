import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// Names beyond ASCII (RFC 5891; curl/curl #1212 of locales, golang/go #13835, encode/httpx #150).
@Suite("International names")
struct InternationalNameTests {
    @Test("All spellings of a name are one origin, one connection and one Host field")
    func spellings() async throws {
        let port = try SharedPort()
        let peer = try port.peer(2, says: "peer")
        let names = ScriptedNames(["xn--bcher-kva.example": ["127.0.0.2"]])
        try await withMeasuredPool(names: names) { client async throws in
            for host in ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "bu\u{308}cher.example"] {
                let text = try await client.fetch(.to("\(host):\(port.number)")).text
                #expect(text == "peer|xn--bcher-kva.example:\(port.number)|GET / HTTP/1.1")
            }
            #expect(names.asked == ["xn--bcher-kva.example"])
            let origin = try client.onlyOrigin
            #expect(origin.label == "http://xn--bcher-kva.example:\(port.number)")
            #expect(origin.connectionsOpened == 1)
            #expect(origin.acquires.total == 4)
        }
        #expect(peer.connections == 1)
        try await peer.stop()
    }

    @Test("What is no name is refused before anything is done for it", arguments: ["a\u{ff0f}b", "\u{ad}", "\u{fffd}"])
    func refused(host: String) async throws {
        try await withMeasuredPool { client async throws in
            let error = try await poolError { _ = try await client.execute(.to(host)) }
            #expect(error.code == .invalidRequest)
            #expect(client.reading().origins.isEmpty)
        }
    }
}
