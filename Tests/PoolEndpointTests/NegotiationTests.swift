import HTTPPool
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("What the endpoint serves to whom")
struct NegotiationTests {
    static let prometheus =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

    /// A pool behind the endpoint, so that its page is worth compressing.
    private func withPool(_ body: (EndpointAddress) async throws -> Void) async throws {
        let registry = PoolRegistry()
        let pool = try InstrumentedClient(FakePool(), name: "negotiated", registry: registry)
        try await withEndpoint(registry: registry, body)
        withExtendedLifetime(pool) {}
    }

    /// The header fields by lower-case name, and the body.
    private func split(_ text: String) throws -> (fields: [String: String], body: String) {
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        let lines = text[..<end.lowerBound].split(separator: "\r\n").dropFirst()
        let fields = lines.map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (parts[0].lowercased(), String(parts[1].drop { $0 == " " }))
        }
        return (Dictionary(fields) { "\($0), \($1)" }, String(text[end.upperBound...]))
    }

    @Test("Prometheus gets OpenMetrics, and who names no format gets text; each can be read")
    func formats() async throws {
        try await withPool { address in
            let url = "http://\(address)/metrics"
            let scraped = try split(try await curl("-i", "-H", "Accept: \(Self.prometheus)", url).output)
            #expect(scraped.fields["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            let openMetrics = try ExpositionReader(Array(scraped.body.utf8), as: .openMetrics)
            #expect(openMetrics.types["http_client_pool_config_changes"] == "counter")
            let asked = try split(try await curl("-i", url).output)
            #expect(asked.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(
                try ExpositionReader(Array(asked.body.utf8)).types["http_client_pool_config_changes_total"] == "counter"
            )
            for reply in [scraped, asked] {
                #expect(reply.fields["vary"] == "Accept, Accept-Encoding")
                #expect(reply.fields["content-encoding"] == nil)
            }
        }
    }

    @Test("Several Accept fields count as one")
    func severalFields() async throws {
        try await withPool { address in
            let fields = ["-H", "Accept: text/plain;q=0.1", "-H", "Accept: application/openmetrics-text;version=1.0.0"]
            let options = ["-q", "-sS", "--noproxy", "*", "-i"] + fields + ["http://\(address)/metrics"]
            let reply = try split(try await runProgram("curl", options).output)
            #expect(reply.fields["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        }
    }

    @Test("A compressed response says so, is as long as it says, and has the text of the uncompressed one")
    func compression() async throws {
        try await withPool { address in
            let url = "http://\(address)/metrics?name[]=http_client_pool_config_source"
            let plain = try await curl("-g", url).output
            // curl checks the length and undoes the coding.
            let packed = try await curl("-g", "-i", "--compressed", url)
            #expect(packed.status == 0)
            let reply = try split(packed.output)
            #expect(reply.fields["content-encoding"] == "gzip")
            #expect(reply.fields["vary"] == "Accept, Accept-Encoding")
            let length = try #require(reply.fields["content-length"].flatMap { Int($0) })
            #expect(length < plain.utf8.count / 4)
            #expect(reply.body == plain)
            let refused = try split(try await curl("-g", "-i", "-H", "Accept-Encoding: gzip;q=0", url).output)
            #expect(refused.fields["content-encoding"] == nil)
            #expect(refused.body == plain)
        }
    }

    @Test("HEAD has the header fields of GET, those of a compressed response too", arguments: ["identity", "gzip"])
    func head(coding: String) async throws {
        try await withPool { address in
            let url = "http://\(address)/metrics?name[]=http_client_pool_config_source"
            let options = [
                "-q", "-sS", "--noproxy", "*", "-g", "-H", "Accept-Encoding: \(coding)", "-H",
                "Accept: \(Self.prometheus)",
            ]
            let head = try split(try await runProgram("curl", options + ["--head", url]).output)
            let get = try split(try await runProgram("curl", options + ["-D", "-", "-o", "/dev/null", url]).output)
            // The second may have changed in between.
            #expect(head.fields.filter { $0.key != "date" } == get.fields.filter { $0.key != "date" })
            #expect(head.fields["content-encoding"] == (coding == "gzip" ? "gzip" : nil))
            #expect(head.body.isEmpty)
        }
    }

    @Test("The page for people varies with format and coding, and what is constant does not vary")
    func otherPages() async throws {
        try await withPool { address in
            let page = try split(try await curl("-i", "--compressed", "http://\(address)/config").output)
            #expect(page.fields["vary"] == "Accept, Accept-Encoding")
            #expect(page.fields["content-encoding"] == "gzip")
            #expect(page.body.hasPrefix("CONFIG: "))
            for path in ["/-/healthy", "/other"] {
                let reply = try split(try await curl("-i", "--compressed", "http://\(address)\(path)").output)
                #expect(reply.fields["vary"] == nil && reply.fields["content-encoding"] == nil)
            }
        }
    }

    @Test("name[] selects families, and nothing of the query is repeated")
    func selection() async throws {
        try await withPool { address in
            let query =
                "name[]=http_client_pool_acquires_total&token=hunter2&name%5B%5D=http_client_pools&name[]=%68unter3"
            let reply = try await curl("-g", "-i", "http://\(address)/metrics?\(query)")
            let page = try ExpositionReader(Array(try split(reply.output).body.utf8))
            // The pool has no origin yet, so it has no acquires.
            #expect(Array(page.types.keys) == ["http_client_pools"])
            #expect(!reply.output.contains("hunter"))
            let unknown = try split(try await curl("-g", "-i", "http://\(address)/metrics?name[]=hunter2").output)
            #expect(unknown.fields["content-length"] == "0" && unknown.body.isEmpty)
        }
    }
}
