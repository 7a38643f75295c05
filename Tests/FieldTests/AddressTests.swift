import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// A name with several addresses, some of which are bad (RFC 8305, 5).
@Suite("Addresses of a name")
struct AddressTests {
    private let port: SharedPort

    init() throws { port = try SharedPort() }

    private func request(_ host: String = "many.test") -> HTTPRequest { .to("\(host):\(port.number)") }

    private func text(_ client: InstrumentedClient, _ host: String = "many.test") async throws -> Substring {
        try await client.fetch(request(host)).text.prefix { $0 != "|" }
    }

    @Test("The first swallows SYNs: the next is tried within the connect timeout, and the next connection begins there")
    func blackHole() async throws {
        let good = try port.peer(3, says: "good", closes: true)
        var hole: FullBacklog? = try port.blackHole(2)
        let names = ScriptedNames(["many.test": ["127.0.0.2", "127.0.0.3"]])
        try await withMeasuredPool(names: names) {
            $0.timeouts.connect = .seconds(2)
        } _: { client async throws in
            #expect(try await text(client) == "good")
            // Were it tried first again, it would be reached now.
            _ = hole?.port
            hole = nil
            let late = try port.peer(2, says: "late", closes: true)
            #expect(try await text(client) == "good")
            try await client.becomes()
            // An address that did not connect has the name looked up anew.
            #expect(names.asked == ["many.test", "many.test"])
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 2)
            #expect(origin.connectFailures.total == 0)
            try await late.stop()
        }
        try await good.stop()
    }

    @Test(
        "Fifty connections at once to such a name: each finds its way, and none holds a descriptor that it does not need"
    )
    func manyAtOnce() async throws {
        let good = try port.peer(3, says: "good")
        let hole = try port.blackHole(2)
        let names = ScriptedNames(["many.test": ["127.0.0.2", "127.0.0.3"]])
        // The hole has sockets of its own.
        let before = try KernelSockets().count(.synSent, to: port.number)
        let established = try KernelSockets().count(.established, to: port.number)
        try await withMeasuredPool(names: names) { client async throws in
            let tasks = (0..<50).map { _ in Task { try await self.text(client) } }
            for task in tasks { #expect(try await task.value == "good") }
            try await eventually("no attempt is left") {
                try KernelSockets().count(.synSent, to: port.number) == before
            }
            #expect(names.asked.count == 1)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened <= 50)
            #expect(origin.connectFailures.total == 0)
            let connections = client.reading().levels.connections.total
            #expect(try KernelSockets().count(.established, to: port.number) == established + connections)
        }
        withExtendedLifetime(hole) {}
        try await good.stop()
    }

    @Test("Over TLS and HTTP/2 the socket that won is the connection")
    func tls() async throws {
        let certificates = try await TestCertificates()
        let nginx = try await Nginx.start(
            tls: .init(certificate: certificates.signed(for: "many.test"), http2Streams: 8)
        )
        let names = ScriptedNames(["many.test": ["127.0.0.2", "::1", "127.0.0.1"]])
        for http2 in PoolTransport.HTTP2.allCases {
            try await withMeasuredPool(names: names) {
                $0.transport.http2 = http2
                $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            } _: { client async throws in
                for _ in 0..<3 {
                    let request = HTTPRequest.to("many.test:\(nginx.tlsPort)", "/small", scheme: "https")
                    #expect(try await client.fetch(request).text == "small")
                }
                #expect(try client.onlyOrigin.connectionsOpened == 1)
                #expect(try KernelSockets().count(.established, to: nginx.tlsPort) == 1)
            }
        }
    }

    @Test("All refuse: the error says so, once, and every socket is closed")
    func allRefuse() async throws {
        let refusing = try [2, 3].map(port.refusing)
        let names = ScriptedNames(["many.test": ["127.0.0.2", "127.0.0.3"], "proxy.test": ["127.0.0.2", "127.0.0.3"]])
        let descriptors = try Descriptors.count()
        try await withMeasuredPool(names: names) { client async throws in
            let error = try await poolError { _ = try await client.execute(request()) }
            #expect(error.code == .connectFailed)
            #expect(error.reason == "Connection refused")
            #expect(try client.onlyOrigin.connectFailures[.refused] == 1)
        }
        try await withMeasuredPool(names: names) {
            $0.transport.proxy = .server(PoolProxy.Server(host: "proxy.test", port: port.number))
        } _: { client async throws in
            let error = try await poolError { _ = try await client.execute(.to("origin.test")) }
            #expect(error.code == .proxyFailed)
            #expect(
                error.reason == "the proxy could not be reached: Connection refused; "
                    + "through the proxy proxy.test:\(port.number) (transport.proxy)"
            )
            #expect(try client.onlyOrigin.connectFailures[.refused] == 1)
        }
        let kinds = try Descriptors.kinds()
        #expect(try Descriptors.count() <= descriptors, "\(kinds)")
        withExtendedLifetime(refusing) {}
    }

    @Test("Three that swallow SYNs before one that is good: all are tried within the connect timeout")
    func threeBlackHoles() async throws {
        let good = try port.peer(5, says: "good")
        let holes = try [2, 3, 4].map(port.blackHole)
        let names = ScriptedNames(["many.test": ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]])
        try await withMeasuredPool(names: names) {
            $0.timeouts.connect = .seconds(4)
        } _: { client async throws in
            #expect(try await text(client) == "good")
            #expect(try client.onlyOrigin.connectFailures.total == 0)
        }
        withExtendedLifetime(holes) {}
        try await good.stop()
    }

    @Test("The first refuses: the next is tried at once, and counts as one connection")
    func refused() async throws {
        let good = try port.peer(3, says: "good")
        let refusing = try port.refusing(2)
        let names = ScriptedNames(["many.test": ["127.0.0.2", "127.0.0.3"]])
        try await withMeasuredPool(names: names) { client async throws in
            #expect(try await text(client) == "good")
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
            #expect(origin.connectFailures.total == 0)
        }
        withExtendedLifetime(refusing) {}
        try await good.stop()
    }

    @Test("All swallow SYNs: the connect timeout ends it, and is what the error names")
    func nothingButBlackHoles() async throws {
        let holes = try [2, 3].map(port.blackHole)
        let before = try KernelSockets().count(.synSent, to: port.number)
        let names = ScriptedNames(["many.test": ["127.0.0.2", "127.0.0.3"]])
        try await withMeasuredPool(names: names) {
            $0.timeouts.connect = .milliseconds(600)
        } _: { client async throws in
            for attempt in 1...2 {
                let error = try await poolError { _ = try await client.execute(request()) }
                #expect(error.code == .connectTimeout)
                #expect(error.phase == .connect)
                #expect(error.limit?.setting == .connectTimeout)
                #expect(try client.onlyOrigin.connectFailures[.timeout] == UInt64(attempt))
                #expect(names.asked.count == attempt)
            }
            try await eventually("no socket is left") { try KernelSockets().count(.synSent, to: port.number) == before }
        }
        withExtendedLifetime(holes) {}
    }

    @Test("The same of a proxy's name, and the origin's is not looked up")
    func proxy() async throws {
        let good = try port.peer(3, says: "proxy")
        let hole = try port.blackHole(2)
        let names = ScriptedNames(["proxy.test": ["127.0.0.2", "127.0.0.3"]])
        try await withMeasuredPool(names: names) {
            $0.timeouts.connect = .seconds(2)
            $0.transport.proxy = .server(PoolProxy.Server(host: "Proxy.test", port: port.number, except: ["else.test"]))
        } _: { client async throws in
            let response = try await client.fetch(.to("origin.test", "/path")).text
            #expect(response == "proxy|origin.test|GET http://origin.test/path HTTP/1.1")
            #expect(names.asked == ["proxy.test"])
            // What is excepted is looked up itself.
            let error = try await poolError { _ = try await client.execute(.to("api.else.test")) }
            #expect(error.code == .dnsFailed)
            #expect(names.asked == ["proxy.test", "api.else.test"])
        }
        withExtendedLifetime(hole) {}
        try await good.stop()
    }

    @Test("An address and localhost need no look-up, however they are written")
    func literals() async throws {
        let peer = try port.peer(1, says: "peer")
        let names = ScriptedNames()
        try await withMeasuredPool(names: names) { client async throws in
            for host in ["127.0.0.1", "127.1", "localhost", "LOCALHOST", "api.localhost"] {
                #expect(try await text(client, host) == "peer")
            }
            #expect(names.asked.isEmpty)
        }
        try await peer.stop()
    }

    /// netty/netty #8181 and curl/curl #7159 are of names that caches did not find again.
    @Test(
        "A name is found whatever its case, with a dot at its end, and long",
        arguments: [
            "Many.TEST", "many.test.", "a_b-c.test", "\(String(repeating: "a.", count: 120))test",
        ]
    )
    func spellings(host: String) async throws {
        let peer = try port.peer(2, says: "peer")
        let names = ScriptedNames([host.lowercased(): ["127.0.0.2"]])
        try await withMeasuredPool(names: names) { client async throws in
            #expect(try await text(client, host) == "peer")
            #expect(names.asked == [host.lowercased()])
        }
        try await peer.stop()
    }
}
