import Foundation
import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

/// Names and labels never change once they are released.
@Suite("The series of a pool")
struct SeriesNamesTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "series.txt")

    /// The series of a pool that met everything, one per line, without their values.
    private func series(origins: Int = 1, sites: Int = 1, endpoint: EndpointReading? = nil) throws -> [String] {
        let registry = PoolRegistry()
        let pool = FakePool()
        let client = try InstrumentedClient(pool, name: "pool", registry: registry)
        client.measured.noteReload(succeeded: true)
        var turn = PoolTurn([.acquired(.a, .new, site: CallSite("site 0"), waited: 1, queued: 0)])
        for index in 0..<origins {
            turn = turn.introducing(Int32(index), "origin-\(index)").levels(Int32(index), idle: 1)
        }
        for index in 0..<sites { turn = turn.levels(CallSite("site \(index)"), queued: 1) }
        pool.report(turn)
        let bytes = Exposition.render(
            registry.readings(),
            process: .current(),
            endpoint: endpoint,
            as: .text,
            only: nil
        )
        let text = String(decoding: bytes, as: UTF8.self)
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let series = String(line[..<(line.lastIndex(of: " ") ?? line.endIndex)])
            // The versions of the day.
            return series.replacing(/version="[^"]*",swift="[^"]*"/, with: #"version="",swift="""#)
        }
    }

    @Test("A series is neither renamed nor lost without this file")
    func golden() throws {
        let found = try series(endpoint: EndpointReading()).joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["RENEW_DOCUMENTATION"] != nil {
            try found.write(to: Self.file, atomically: true, encoding: .utf8)
        } else {
            let golden = try String(contentsOf: Self.file, encoding: .utf8)
            let (lost, new) = (
                Set(golden.split(separator: "\n")).subtracting(found.split(separator: "\n")),
                Set(found.split(separator: "\n")).subtracting(golden.split(separator: "\n"))
            )
            #expect(lost.isEmpty && new.isEmpty, "series.txt differs; CONTRIBUTING.md says how to write it anew")
        }
    }

    @Test("A pool has at most 600 series with one origin and call site, and 4,300 with 64 and 32")
    func counts() throws {
        let few = try series()
        let many = try series(origins: 64, sites: 32)
        print("series: \(few.count) with one origin, \(many.count) with 64")
        #expect(few.count <= 600)
        #expect(many.count <= 4300)
        #expect(Set(many).count == many.count, "no series occurs twice")
    }
}
