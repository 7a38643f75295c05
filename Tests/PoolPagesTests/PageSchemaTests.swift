import Foundation
import PoolMetrics
import TestSupport
import Testing

@testable import PoolPages

@Suite("The JSON of the pages and its schema")
struct PageSchemaTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Every page of a situation.
    private func pages(_ situation: Situation) -> [String: String] {
        let (reports, process, query) = (situation.reports, situation.process, PageQuery())
        var pages = [
            "/": StatusJSON.status(reports, process, situation.diagnosis),
            "/leases": StatusJSON.requests(leases: true, reports, process, query),
            "/queue": StatusJSON.requests(leases: false, reports, process, query),
            "/events": StatusJSON.events(reports, process, query), "/config": StatusJSON.config(reports, process),
        ]
        for report in reports {
            pages["/pools/\(report.reading.name)"] =
                StatusJSON.status([report], process, Diagnosis([report], process))
        }
        return Dictionary(uniqueKeysWithValues: pages.map { ("\(situation.name), \($0.key)", text($0.value)) })
    }

    @Test("Every page is as the schema says, in every situation")
    func situations() async throws {
        var all: [String: String] = [:]
        for situation in try Situation.all() { all.merge(pages(situation)) { $1 } }
        #expect(all.count >= 15 * 5)
        #expect(try await PageSchema.problems(in: all) == [])
    }

    @Test("A key that is not documented, one that is missing and a value that is not allowed are found")
    func finds() async throws {
        let page = try #require(pages(Situation.idle())["idle, /"])
        let changed = [
            "new": page.replacing("\"severity\" : \"ok\"", with: "\"severity\" : \"ok\", \"other\" : 1"),
            "missing": page.replacing("\"headline\"", with: "\"head\""),
            "value": page.replacing("\"kind\" : \"idle\"", with: "\"kind\" : \"resting\""),
            "version": page.replacing("\"version\" : 1", with: "\"version\" : 2"),
        ]
        for (name, text) in changed {
            try #require(text != page)
            let found = try await PageSchema.problems(in: [name: text])
            #expect(!found.isEmpty, "\(name)")
        }
    }

    @Test("The schema has the words that the code has: kinds of findings and of events, and the version")
    func words() throws {
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: PageSchema.path)))
                as? [String: Any]
        )
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        func property(_ definition: String, _ name: String) -> [String: Any] {
            let properties = definitions[definition]?["properties"] as? [String: Any]
            return properties?[name] as? [String: Any] ?? [:]
        }
        func words(_ definition: String, _ name: String) -> Set<String> {
            Set((property(definition, name)["enum"] as? [Any] ?? []).compactMap { $0 as? String })
        }
        #expect(words("verdict", "kind") == Set(VerdictKind.allCases.map(\.rawValue)))
        #expect(words("past", "kind") == Set(PoolCondition.allCases.map(\.rawValue)))
        for condition in PoolCondition.allCases {
            for kind in [NotableEvent.Kind.conditionBegan(condition), .conditionEnded(condition, lasted: 1)] {
                #expect(words("event", "kind").contains(kind.name), "\(kind.name)")
            }
        }
        for page in ["status", "leases", "queue", "events", "config"] {
            #expect(property(page, "version")["const"] as? Int == StatusJSON.version)
        }
    }

    // MARK: The article

    @Test("The article lists every key with its meaning, as the schema has them")
    func article() throws {
        let file = URL(fileURLWithPath: PageSchema.path).deletingLastPathComponent()
            .appendingPathComponent("../Sources/PoolScope/PoolScope.docc/PageJSON.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let begin = try #require(text.firstRange(of: "<!-- keys: begin -->\n")).upperBound
        let end = try #require(text[begin...].firstRange(of: "\n<!-- keys: end -->")).lowerBound
        let tables = try SchemaTables.markdown()
        if ProcessInfo.processInfo.environment["RENEW_DOCUMENTATION"] != nil {
            try (text[..<begin] + tables + text[end...]).write(to: file, atomically: true, encoding: .utf8)
        } else if text[begin..<end] != tables {
            Issue.record("PageJSON.md does not match the schema; RENEW_DOCUMENTATION=1 writes it anew")
        }
    }
}
