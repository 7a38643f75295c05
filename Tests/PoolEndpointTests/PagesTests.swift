import Foundation
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("The pages of the endpoint")
struct PagesTests {
    /// A measured recorder with a request that holds a connection and one that waits.
    private func pool(_ registry: PoolRegistry) throws -> MeasuredPool {
        let recorder = PoolRecorder(backend: PoolBackend(library: "client/1.0", tls: "none"))
        let measured = try MeasuredPool(recorder, name: "shared", registry: registry)
        let origin = Origin(scheme: "https", host: "upstream.example", port: 443)
        recorder.record { ledger in
            let held = ledger.submitted(to: origin, site: "catalog")
            let connection = ledger.connectionOpening(to: origin)
            ledger.connectionOpened(connection)
            ledger.acquired(held, on: connection)
            ledger.requestSent(held)
            let waiting = ledger.submitted(to: origin, site: "export")
            ledger.queued(waiting, behind: .connections)
        }
        return measured
    }

    @Test(
        "each is text with what it is about in its first line, and JSON with its schema",
        arguments: [
            ("/", "poolscope/status", "https://upstream.example:443"), ("/pools/shared", "poolscope/status", "shared"),
            ("/leases", "poolscope/leases", "catalog"), ("/queue", "poolscope/queue", "export"),
            ("/events", "poolscope/events", "saturated"),
            ("/config", "poolscope/config", "HTTP_CLIENT_MAX_CONNECTIONS"),
        ]
    )
    func pages(_ path: String, _ schema: String, _ words: String) async throws {
        let registry = PoolRegistry()
        let measured = try pool(registry)
        // Saturation is noted by turn.
        let recorder = try #require(measured.pool as? PoolRecorder)
        recorder.record { _ = $0.connectionOpening(to: Origin(scheme: "https", host: "upstream.example", port: 443)) }
        try await withEndpoint(registry: registry) { address in
            let text = try await curl("-i", "http://\(address)\(path)").output
            #expect(
                text.hasPrefix("HTTP/1.1 200 OK\r\n")
                    && text.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n")
            )
            #expect(text.contains(words), "\(text)")
            let json = try await curl("http://\(address)\(path)?format=json").output
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(object["schema"] as? String == schema)
            #expect(object["version"] as? Int == 1)
            #expect(
                (object["process"] as? [String: Any])?["pid"] as? Int == Int(ProcessInfo.processInfo.processIdentifier)
            )
            #expect(json.contains(words) || path == "/events", "\(json)")
        }
        withExtendedLifetime(measured) {}
    }

    @Test(
        "a parameter that a page does not have is 400 with those that it has, and no value is repeated",
        arguments: [
            ("/leases?min-age=60", "min-age", "format, limit, min_age, origin, pool, site"),
            ("/queue?limit=1&since=s3cret", "since", "format, limit, min_age, origin, pool, site"),
            ("/events?site=s3cret", "site", "format, limit, origin, pool, since"), ("/config?pool=", "pool", "format"),
            ("/?origin=s3cret&format=json", "origin", "ascii, format"),
            ("/pools/shared?x=s3cret", "x", "ascii, format"),
            ("/?s3cret", nil, "ascii, format"), ("/?s3cret%41=1", nil, "ascii, format"),
            ("/?=s3cret", nil, "ascii, format"),
            ("/?\(String(repeating: "s3cret", count: 20))=1", nil, "ascii, format"),
        ] as [(String, String?, String)]
    )
    func unknownParameter(_ target: String, _ name: String?, _ known: String) async throws {
        let registry = PoolRegistry()
        let measured = try pool(registry)
        try await withEndpoint(registry: registry) { address in
            let reply = try await curl("-i", "http://\(address)\(target)").output
            #expect(reply.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(reply)")
            let what = name.map { "no parameter \($0)" } ?? "no such parameter"
            #expect(reply.hasSuffix("\r\n\r\nthis page has \(what); it has: \(known)\n"), "\(reply)")
            #expect(!reply.contains("s3cret"))
        }
        withExtendedLifetime(measured) {}
    }

    @Test(
        "the parameters of a page, empty fields of its form, and what a scraper or a probe adds are not refused",
        arguments: [
            "/leases?min_age=60&origin=&site=&pool=&limit=&format=json", "/queue?min_age=1min", "/?ascii=1&format=text",
            "/events?since=10min&limit=5&&", "/metrics?job=x&min-age=1&y", "/-/healthy?x=1", "/-/ready?x=1", "/leases?",
        ]
    )
    func knownParameters(_ target: String) async throws {
        let registry = PoolRegistry()
        let measured = try pool(registry)
        try await withEndpoint(registry: registry) { address in
            let reply = try await curl("-i", "http://\(address)\(target)").output
            #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(reply)")
        }
        withExtendedLifetime(measured) {}
    }

    @Test("a pool that there is not is 404, and 404 lists the pages")
    func unknown() async throws {
        try await withEndpoint { address in
            let reply = try await curl("-i", "http://\(address)/pools/none").output
            #expect(reply.hasPrefix("HTTP/1.1 404"))
            for path in ["/leases", "/queue", "/events", "/config", "/metrics", "/-/ready"] {
                #expect(reply.contains(path))
            }
        }
    }

    @Test(
        "/-/ready is 503 before the first pool and from the beginning of the shutdown, and 200 in between, whatever the load"
    )
    func readiness() async throws {
        let registry = PoolRegistry()
        try await withEndpoint(registry: registry) { address in
            func status() async throws -> String {
                try await curl("-o", "/dev/null", "-w", "%{http_code}", "http://\(address)/-/ready").output
            }
            #expect(try await status() == "503")
            let measured = try pool(registry)
            #expect(try await status() == "200")
            await measured.shutdown()
            #expect(try await status() == "503")
        }
    }
}
