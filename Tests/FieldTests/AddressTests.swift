import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// A name with several addresses, some of which are bad (RFC 8305, 5; curl's own issue 4798; Go's issue 8768).
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

    @Test("While an address does not answer, other connections begin with the next one")
    func others() async throws {
        let good = try port.peer(3, says: "good")
        let hole = try port.blackHole(2)
        let names = ScriptedNames(["many.test": ["127.0.0.2", "127.0.0.3"]])
        try await withMeasuredPool(names: names) {
            $0.timeouts.connect = .seconds(60)
        } _: { client async throws in
            let first = Task { try await self.text(client) }
            try await eventually("it waits for the first address") {
                try KernelSockets().count(.synSent, to: port.number) > 0
            }
            // The first has half a minute for its first address. This one is not to wait for that.
            try await eventually("the next connection is there", within: .seconds(20)) {
                let second = Task { try await self.text(client) }
                let isReady = try await withDeadline(.milliseconds(500)) { try await second.value }
                second.cancel()
                return isReady == "good"
            }
            first.cancel()
            _ = await first.result
            let origin = try client.onlyOrigin
            #expect(origin.connectFailures[.timeout] == 0)
        }
        withExtendedLifetime(hole) {}
        try await good.stop()
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
            try await eventually("no socket is left") { try KernelSockets().count(.synSent, to: port.number) == 0 }
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

    /// Go's issue 34439 and curl's 17135 are of names that caches did not find again.
    @Test("A name is found whatever its case, with a dot at its end, and long", arguments: [
        "Many.TEST", "many.test.", "a_b-c.test", "\(String(repeating: "a.", count: 120))test",
    ])
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

/// What `body` comes to within `limit`; `nil` where it takes longer.
func withDeadline<Value: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
