import CurlPool
import Glibc
import HTTPPool
import HTTPTypes
import PoolMetrics
import Synchronization
import TestSupport
import Testing

/// Hosts as they are written, and what of them is sent.
@Suite("Hosts as they are written")
struct HostNameTests {
    /// What a peer saw of a connection and its request.
    private final class Seen: Sendable {
        private let entries = Mutex<[(name: String?, host: String)]>([])
        var all: [(name: String?, host: String)] { entries.withLock { $0 } }
        func add(_ name: String?, _ head: String) {
            let line = head.split(separator: "\r\n").first { $0.hasPrefix("Host: ") } ?? "Host: none"
            entries.withLock { $0.append((name, String(line.dropFirst(6)))) }
        }
    }

    private static func script(_ tls: TLSPeer, _ seen: Seen) -> ScriptedPeer.Script {
        { connection, _ in
            let session = try tls.accept(connection)
            while let head = session.readHead() {
                seen.add(session.serverName, head)
                session.answer("ok")
            }
        }
    }

    // RFC 9110, 7.2; RFC 6066, 3; curl/curl #716, #8290; urllib3/urllib3 #1254.
    @Test(
        "TLS: the dot and the case of a name are sent in Host, and not in the server's name; the certificate fits",
        arguments: ["name.test.", "NAME.test", "Name.Test."]
    )
    func spelling(host: String) async throws {
        let certificates = try await TestCertificates()
        let seen = Seen()
        let tls = try TLSPeer(try await certificates.signed(for: "name.test"))
        let peer = try ScriptedPeer(Self.script(tls, seen))
        let names = ScriptedNames([host.lowercased(): ["127.0.0.1"]])
        try await withMeasuredPool(names: names) {
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { client async throws in
            let request = HTTPRequest.to("\(host):\(peer.port)", scheme: "https")
            for _ in 0..<2 { #expect(try await client.fetch(request).text == "ok") }
            #expect(seen.all.map(\.host) == Array(repeating: "\(host):\(peer.port)", count: 2))
            #expect(seen.all.allSatisfy { $0.name?.lowercased() == "name.test" }, "\(seen.all)")
            #expect(try client.onlyOrigin.connectionsOpened == 1)
        }
        try await peer.stop()
    }

    // RFC 3986, 3.2.2; RFC 6066, 3 (no literal addresses); RFC 9110, 4.3.5. algesten/ureq #1171, urllib3/urllib3 #760.
    @Test("TLS to an IPv6 address: no server name is sent, and only a certificate for the address fits")
    func literal() async throws {
        let certificates = try await TestCertificates()
        for (name, fits) in [("::1", true), ("localhost", false), ("127.0.0.1", false)] {
            let seen = Seen()
            let tls = try TLSPeer(try await certificates.signed(for: name))
            let peer = try ScriptedPeer(onIPv6Port: 0, Self.script(tls, seen))
            try await withMeasuredPool {
                $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
            } _: { client in
                let request = HTTPRequest.to("[::1]:\(peer.port)", scheme: "https")
                if fits {
                    let text = try await client.fetch(request).text
                    #expect(text == "ok")
                    #expect(seen.all.map(\.host) == ["[::1]:\(peer.port)"])
                    #expect(seen.all.map(\.name) == [nil])
                } else {
                    let error = try await poolError { _ = try await client.fetch(request) }
                    #expect(error.reason == "the server's certificate is for another host")
                    #expect(seen.all.isEmpty)
                    #expect(try client.onlyOrigin.connectFailures[.tls] == 1)
                }
            }
            try await peer.stop()
        }
    }

    // RFC 3986, 6.2.2.1; urllib3/urllib3 #833.
    @Test("Two spellings of a host are one origin with one connection, and each Host is as it was written")
    func oneOrigin() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let request = try connection.readRequest() { connection.answer(request.head) }
        }
        let names = ScriptedNames(["name.test": ["127.0.0.1"]])
        try await withMeasuredPool(names: names) { client async throws in
            for (scheme, host) in [("http", "name.test"), ("HTTP", "NAME.test"), ("http", "Name.TEST")] {
                let text = try await client.fetch(.to("\(host):\(peer.port)", scheme: scheme)).text
                #expect(text.contains("\r\nHost: \(host):\(peer.port)\r\n"), "\(text)")
            }
            #expect(try client.onlyOrigin.connectionsOpened == 1)
            #expect(try client.onlyOrigin.label == "http://name.test:\(peer.port)")
        }
        try await peer.stop()
    }

    // RFC 6761, 6.3. nodejs/node #40537, curl/curl #9192.
    @Test(
        "localhost and the names below it lead to whoever listens, on either family",
        arguments: ["localhost", "LocalHost", "a.localhost", "localhost.", "a.localhost."],
        [true, false]
    )
    func localhost(host: String, isIPv6: Bool) async throws {
        let script: ScriptedPeer.Script = { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
        let peer = try isIPv6 ? ScriptedPeer(onIPv6Port: 0, script) : ScriptedPeer(script)
        let names = ScriptedNames()
        try await withMeasuredPool(names: names) { client async throws in
            #expect(try await client.fetch(.to("\(host):\(peer.port)")).text == "ok")
            #expect(names.asked.isEmpty)
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
            #expect(origin.connectFailures.total == 0)
        }
        try await peer.stop()
    }

    // RFC 8305, 4 and 5. curl/curl #11920.
    @Test("Twenty addresses of both families, one of which is good, the last: it is reached, as one connection")
    func manyAddresses() async throws {
        let port = try SharedPort()
        let good = try port.peer(99, says: "good")
        let hole = try port.blackHole(2)
        let refused = (10..<20).map { "127.0.0.\($0)" }
        let unreachable = (1...8).map { "2001:db8::\($0)" }
        let names = ScriptedNames(["many.test": ["::1", "127.0.0.2"] + unreachable + refused + ["127.0.0.99"]])
        let descriptors = try Descriptors.count()
        try await withMeasuredPool(names: names) { client async throws in
            let text = try await client.fetch(.to("many.test:\(port.number)")).text
            #expect(text.hasPrefix("good|"))
            let origin = try client.onlyOrigin
            #expect(origin.connectionsOpened == 1)
            #expect(origin.connectFailures.total == 0)
        }
        withExtendedLifetime(hole) {}
        try await good.stop()
        try await eventually("no descriptor is left") { try Descriptors.count() <= descriptors }
    }

    // draft-ietf-happy-happyeyeballs-v3: TLS is a part of the race there. square/okhttp #506.
    @Test("The first address accepts and is silent in TLS: the next attempt goes to another one")
    func deadTLS() async throws {
        let certificates = try await TestCertificates()
        let port = try SharedPort()
        let mute = try ScriptedPeer(port: port.number, loopback: 2) { connection, _ in connection.waitForEnd() }
        let tls = try TLSPeer(try await certificates.signed(for: "many.test"))
        let good = try ScriptedPeer(port: port.number, loopback: 3, Self.script(tls, Seen()))
        let names = ScriptedNames(["many.test": ["127.0.0.2", "127.0.0.3"]])
        try await withMeasuredPool(names: names) {
            $0.timeouts.connect = .milliseconds(700)
            $0.transport.tls.trust = .only(.file(certificates.authority.certificate))
        } _: { client async throws in
            let request = HTTPRequest.to("many.test:\(port.number)", scheme: "https")
            let error = try await poolError { _ = try await client.fetch(request) }
            #expect(error.code == .connectTimeout)
            #expect(try await client.fetch(request).text == "ok")
            let origin = try client.onlyOrigin
            #expect(origin.connectFailures[.timeout] == 1)
            #expect(origin.connectionsOpened == 1)
        }
        try await mute.stop()
        try await good.stop()
    }

    // RFC 3986, 7.4. curl/curl #6916: what is asked and what is reached must be one host.
    @Test(
        "An address in another spelling is the same address to the proxy's exceptions",
        arguments: ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1"]
    )
    func oddAddresses(host: String) async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let request = try connection.readRequest() { connection.answer(request.head) }
        }
        let proxy = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("proxy") }
        }
        for except in ["127.0.0.0/8", "127.0.0.1"] {
            try await withMeasuredPool {
                $0.transport.proxy = .server(
                    PoolProxy.Server(host: "127.0.0.1", port: proxy.port, except: [except])
                )
            } _: { client in
                let text = try await client.fetch(.to("\(host):\(peer.port)")).text
                #expect(text.hasPrefix("GET / HTTP/1.1"), "\(text)")
                #expect(proxy.connections == 0)
            }
        }
    }

    // RFC 6874, 4; curl's CVE-2022-27775, golang/go #9544.
    @Test(
        "A zone is refused, before anything is opened",
        arguments: ["[fe80::1%25lo]", "[fe80::1%lo]", "name.test..%25"]
    )
    func zone(host: String) async throws {
        try await withMeasuredPool { client in
            let error = try await poolError { _ = try await client.fetch(.to("\(host):80")) }
            #expect(error.code == .invalidRequest)
            #expect(!"\(error)".contains("fe80"))
        }
    }
}
