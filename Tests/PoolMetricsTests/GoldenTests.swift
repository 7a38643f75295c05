import Foundation
import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

/// The whole text of a pool whose story is known to the nanosecond: a name, a unit or a value that changes shows here.
@Suite("The exposition to the letter")
struct GoldenTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    /// A process whose numbers are those of no machine.
    private var process: ProcessReading {
        var process = ProcessReading()
        process.cpuSeconds = 1.5
        process.residentMemoryBytes = 33_554_432
        process.openDescriptors = 17
        process.maxDescriptors = 1024
        process.startTimeSeconds = 1_700_000_000.25
        return process
    }

    private func text(_ format: Exposition.Format) throws -> String {
        let pool = try ScriptedPool.busy()
        pool.meter.noteReload(succeeded: true)
        pool.meter.noteReload(succeeded: false)
        #expect(pool.recorder.violations == [])
        let bytes = Exposition.render(pool.scrape(process: process), as: format)
        // The versions and the time of the day.
        return String(decoding: bytes, as: UTF8.self)
            .replacing(/version="[^"]*",swift="[^"]*"/, with: #"version="",swift="""#)
            .replacing(/(?m)^(http_client_pool_config_last_change_timestamp_seconds\{[^}]*\}) .*$/) {
                "\($0.1) 1700000000"
            }
    }

    @Test(
        "is what is committed, in each format",
        arguments: [(.text, "exposition.txt"), (.openMetrics, "exposition.openmetrics.txt")]
            as [(Exposition.Format, String)]
    )
    func golden(format: Exposition.Format, name: String) throws {
        let found = try text(format)
        let file = Self.folder.appending(path: name)
        if ProcessInfo.processInfo.environment["RENEW_DOCUMENTATION"] != nil {
            try found.write(to: file, atomically: true, encoding: .utf8)
            return
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        let (old, new) = (golden.split(separator: "\n"), found.split(separator: "\n"))
        let lost = Set(old).subtracting(new).sorted()
        let added = Set(new).subtracting(old).sorted()
        // The texts themselves would bury what differs.
        let isSame = found == golden
        #expect(isSame, "\(name) differs; CONTRIBUTING.md says how to write it anew. Lost: \(lost), new: \(added)")
    }

    @Test("has no counter, histogram or gauge of requests, connections or time that is 0 in all of its series")
    func alive() throws {
        let page = try ExpositionReader(Array(try text(.text).utf8))
        let dead = page.types.keys.filter { family in
            page.samples.filter { $0.family == family }.allSatisfy { $0.value == 0 }
        }
        // The limits are those of the start, and the last reload failed.
        #expect(
            Set(dead) == ["http_client_pool_config_changes_total", "http_client_pool_config_last_reload_successful"]
        )
    }
}
