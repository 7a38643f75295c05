import Foundation
import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

@Suite("The article on metrics")
struct MetricsArticleTests {
    private static let article = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Sources/PoolScope/PoolScope.docc/Metrics.md")
    private static let marks = (first: "<!-- families: begin -->\n", last: "\n<!-- families: end -->")
    /// With this variable the test writes the table instead of comparing it.
    private static let isRenewed = ProcessInfo.processInfo.environment["RENEW_DOCUMENTATION"] != nil

    @Test("lists every family as it is declared: name, type, labels and help")
    func families() throws {
        let text = try String(contentsOf: Self.article, encoding: .utf8)
        let begin = try #require(text.firstRange(of: Self.marks.first)).upperBound
        let end = try #require(text[begin...].firstRange(of: Self.marks.last)).lowerBound
        let table = try Self.table()
        if Self.isRenewed {
            try (text[..<begin] + table + text[end...]).write(to: Self.article, atomically: true, encoding: .utf8)
        } else if text[begin..<end] != table {
            Issue.record("Metrics.md does not match the families; RENEW_DOCUMENTATION=1 writes:\n\(table)")
        }
    }

    private static func table() throws -> String {
        let fake = FakePool()
        let pool = try InstrumentedClient(fake, registry: PoolRegistry())
        fake.report(PoolTurn().introducing(0, "a"))
        let scrape = Scrape(pools: [pool.reading()], process: nil, poolsCreated: 1, poolsAlive: 1)
        let rows = Family.all.map { family in
            let labels = labels(of: family.samples, in: scrape)
            return "| `\(family.name)` | \(family.kind.rawValue) | \(labels) | \(family.help) |"
        }
        return (["| family | type | labels | meaning |", "| --- | --- | --- | --- |"] + rows).joined(separator: "\n")
    }

    /// The labels beside `pool`. A label that is the only one of its samples comes with its values.
    private static func labels(of samples: Family.Samples, in scrape: Scrape) -> String {
        switch samples {
        case .process: ""
        case .endpoint(let samples): labels([], samples.map(\.labels))
        case .pool(let samples): labels([], samples.map(\.labels))
        case .origin(let samples): labels(["origin"], samples.map(\.labels))
        case .site(let samples): labels(["site"], samples.map(\.labels))
        case .histogram(let samples): labels([], samples.map(\.labels))
        case .info(let labels): (labels(scrape).first ?? []).map(\.name).filter { $0 != "pool" }.joined(separator: ", ")
        }
    }

    private static func labels(_ subject: [String], _ rendered: [[UInt8]]) -> String {
        let series = rendered.map { bytes in
            // `,name="value"` of each; no value of these families has a comma.
            String(decoding: bytes, as: UTF8.self).split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
        }
        let names = series.first?.map { String($0[0]) } ?? []
        guard names.count == 1 else { return (subject + names).joined(separator: ", ") }
        let values = series.map { "`\($0[0][1].filter { $0 != "\"" })`" }.joined(separator: ", ")
        return (subject + ["\(names[0]): \(values)"]).joined(separator: ", ")
    }
}
