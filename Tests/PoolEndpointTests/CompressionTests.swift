import HTTPPool
import NIOHTTP1
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("Compressed responses of the endpoint")
struct CompressionTests {
    @Test(
        "A body is compressed where the request prefers that, or accepts nothing else",
        arguments: [
            ("", false), ("gzip", true), ("GZIP", true), ("x-gzip", true), ("gzip;q=0", false), ("gzip;q=0.0", false),
            ("gzip;q=0.001", true), ("*", true), ("*;q=0", false), ("identity", false), ("identity;q=0", false),
            ("identity;q=0, gzip", true), ("identity;q=0, gzip;q=0", false), ("*;q=0, gzip;q=0.5", true),
            ("gzip;q=0, *", false), ("gzip, identity", true), ("gzip;q=0.5, identity", false),
            ("gzip;q=0.5, identity;q=0.5", true), ("identity;q=0.5, gzip;q=1.0", true),
            ("gzip, deflate, br, zstd", true),
            ("deflate, br", false), ("br;q=1.0, gzip;q=0.8, *;q=0.1", true), ("gzip;q=1, identity;q=x", true),
            (";;,,q=1", false),
        ]
    )
    func choice(header: String, isCompressed: Bool) {
        #expect(ContentCodings(header).wantsGzip(bytes: 100_000) == isCompressed)
    }

    @Test("A small body is compressed only where the request refuses everything else")
    func smallBodies() {
        #expect(!ContentCodings("gzip").wantsGzip(bytes: 1399))
        #expect(ContentCodings("gzip").wantsGzip(bytes: 1400))
        #expect(ContentCodings("gzip, identity;q=0").wantsGzip(bytes: 3))
        #expect(ContentCodings("gzip, *;q=0").wantsGzip(bytes: 3))
    }

    @Test("gzip restores what was compressed", arguments: [0, 1, 16_384, 300_000])
    func restores(count: Int) async throws {
        // Half of it random, so that the result takes several pieces.
        var random = SystemRandomNumberGenerator()
        let body = (0..<count).map { $0 % 2 == 0 ? UInt8.random(in: 0...255, using: &random) : 65 }
        let packed = try #require(Gzip.compressed(body))
        let unpacked = try await runProgram("gzip", ["-dc"], input: packed)
        #expect(unpacked.status == 0)
        // The output of a program is read as text, which these bytes are not; so their sums are compared.
        let sums = try await [
            runProgram("cksum", [], input: body), runProgram("sh", ["-c", "gzip -dc | cksum"], input: packed),
        ]
        #expect(sums[0].output == sums[1].output)
    }

    @Test("A scrape of 64 origins takes at most 25 KB", arguments: Exposition.Format.allCases)
    func size(format: Exposition.Format) throws {
        let registry = PoolRegistry()
        let pool = try ManyOrigins.pool(registry: registry)
        let routes = EndpointRoutes(registry: registry)
        func answer(_ coding: String) -> EndpointResponse {
            let headers: HTTPHeaders = ["Accept": format.contentType, "Accept-Encoding": coding]
            return routes.response(method: .GET, path: "/metrics", headers: headers)
        }
        let (plain, packed) = (answer("identity"), answer("gzip"))
        #expect(plain.body.count > 250_000, "\(plain.body.count)")
        #expect(packed.isGzip && packed.body.count <= 25_000, "\(packed.body.count)")
        #expect(packed.contentType == format.contentType)
        withExtendedLifetime(pool) {}
    }
}

/// A pool that has spoken to 64 origins, every number of which differs from every other.
private enum ManyOrigins {
    static func pool(registry: PoolRegistry) throws -> InstrumentedClient {
        let client = FakePool()
        let measured = try InstrumentedClient(client, name: "many", registry: registry)
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 1))
        let sites = (0..<31).map { CallSite("compressed call site \($0)") }
        for index in 0..<64 {
            let id = OriginID(index: Int32(index))
            let host = "upstream-\(index).region-\(index % 3).example.com"
            turn.newOrigins.append(PoolTurn.NewOrigin(id, Origin(scheme: "https", host: host, port: 443)))
            var levels = OriginLevels()
            levels.connections.active = index
            levels.requests.inFlight = index
            levels.requests.queued = 1000 - index * 7
            turn.origins.append(PoolTurn.ChangedOrigin(id, levels))
        }
        client.report(turn)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var turn = PoolTurn(now: MonotonicTime(nanoseconds: 2))
            for index in 0..<64 {
                let id = OriginID(index: Int32(index))
                let took = UInt64.random(in: 10_000...20_000_000_000, using: &random)
                let site = sites.randomElement(using: &random) ?? .unattributed
                turn.events += [
                    .acquired(id, .new, site: site, waited: took, queued: took / 2), .responded(id, waited: took / 3),
                    .leaseEnded(id, site: site, held: took), .connectionOpened(id, took: took / 5),
                    .acquireFailed(id, .timeout, site: site, waited: took),
                ]
                if Bool.random(using: &random) {
                    turn.events.append(.acquired(id, .reused, site: site, waited: took, queued: took))
                    turn.events.append(.connectionClosed(id, .idleExpired, lifetime: took, requests: 5))
                }
            }
            client.report(turn)
        }
        return measured
    }
}
