import Foundation
import HTTPPool
import PoolMetrics
import Testing

@testable import PoolPages

/// What a page says beside its numbers, where silence would mislead.
@Suite("The words of pages")
struct PageWordsTests {
    @Test("A reload that failed names what is wrong, and the next one that succeeds takes it back")
    func reload() throws {
        let incident = try Incident()
        incident.usual("a", minutes: 1)
        let problem = "pool.json: httpClient.maxConnections: 'many' is not a whole number"
        incident.measured.noteReload(succeeded: false, problem: problem)
        incident.pass(1)
        let verdict = try #require(incident.diagnosis.verdicts.first { $0.kind == .reloadFailed })
        #expect(row(verdict, "cause") == problem)
        #expect(row(verdict, "do first") == "Mend the file. Then send SIGHUP.")
        let config = ConfigText.page([incident.report], incident.process)
        #expect(config.replacing("\n ", with: "").contains("httpClient.maxConnections: 'many'"), "\(config)")
        incident.measured.noteReload(succeeded: true)
        #expect(!ConfigText.page([incident.report], incident.process).contains("RELOAD FAILED"))
    }

    @Test("The words of a file cannot move a cursor, and only so many of them are shown")
    func longProblem() throws {
        let incident = try Incident()
        incident.measured.noteReload(succeeded: false, problem: "\u{1B}[2J" + String(repeating: "x", count: 5000))
        let page = ConfigText.page([incident.report], incident.process) + incident.page
        #expect(!page.contains("\u{1B}") && page.count { $0 == "x" } < 1000)
    }

    @Test("A page that a filter empties says so, without repeating the filter")
    func filter() throws {
        let incident = try Incident()
        _ = incident.hang("a", "one")
        incident.pass(1)
        for target in ["?site=s3cret", "?origin=\(String(repeating: "s3cret", count: 100))", "?min_age=1h"] {
            let query = PageQuery(target: "/leases" + target)
            let name = String(target.prefix { $0 != "=" })
            let pages = [
                RequestsText.leases([incident.report], incident.process, query),
                RequestsText.queue([incident.report], incident.process, query),
            ]
            for page in pages {
                #expect(page.contains("only those that fit \(name)=\n"), "\(page)")
                #expect(!page.contains("s3cret"))
            }
            #expect(pages[0].hasPrefix("LEASES: 0 requests hold"))
        }
        #expect(!RequestsText.leases([incident.report], incident.process, PageQuery()).contains("fit"))
    }

    @Test("Each setting has its own name, also where one variable sets several")
    func settings() throws {
        var configuration = PoolConfiguration()
        configuration.timeouts.read = .seconds(7)
        let incident = try Incident { $0 = configuration }
        let page = ConfigText.page([incident.report], incident.process)
        let names = page.split(separator: "\n").compactMap { $0.split(separator: " ").first }
            .filter { $0.hasPrefix("HTTP_CLIENT_") }
        #expect(names.count == PoolSetting.all.count)
        #expect(Set(names).count == names.count, "\(names)")
    }

    @Test("Of a client that does not report its connections their numbers are unknown, and not zero")
    func withoutConnections() throws {
        let situation = try Situation.withoutConnections()
        let report = try #require(situation.reports.first)
        let status = StatusJSON.status(situation.reports, situation.process, situation.diagnosis)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(status)) as? [String: Any])
        let pool = try #require((json["pools"] as? [[String: Any]])?.first)
        let origin = try #require((pool["origins"] as? [[String: Any]])?.first)
        for connections in [pool, origin].map({ $0["connections"] as? [String: Any] ?? [:] }) {
            for key in ["active", "idle", "connecting"] { #expect(connections[key] is NSNull, "\(key)") }
        }
        let cells = try #require(pool["last_ten_minutes"] as? [[String: Any]])
        #expect(cells.allSatisfy { $0["active_peak"] is NSNull })
        let peaks = try #require(pool["peaks"] as? [String: Any])
        #expect(peaks["active"] is NSNull && peaks["open"] is NSNull && peaks["demand"] as? Int == 2)

        let text = StatusText.page(situation.reports, situation.process, situation.diagnosis)
        let html = StatusHTML.pool(report, situation.process)
        #expect(text.contains(#/\nshared +- +- +- +- +50 /#), "\(text)")
        #expect(text.contains(#/\nhttps://a:443 +- +- +- /#) && text.contains(#/\nactive .* -\n/#), "\(text)")
        #expect(PoolText.page(report, situation.process).contains(#/\nconnections open +- +- +50\n/#))
        #expect(!html.contains("class=\"use\"") && !html.contains("connections open of"), "\(html)")
        let config = ConfigText.page(situation.reports, situation.process)
        #expect(!config.contains("0 open") && !config.contains("0 idle"), "\(config)")
    }

    @Test("After the end of its pools a process is not taken for one without any")
    func ended() async throws {
        let incident = try Incident()
        let registry = PoolRegistry()
        let pool = try MeasuredPool(
            PoolRecorder(backend: PoolBackend(library: "client/1.0", tls: "none")),
            name: "shared",
            registry: registry
        )
        #expect(Diagnosis([], incident.process).first.title == "no pool is measured in this process")
        await pool.shutdown()
        let reports = registry.reports()
        #expect(reports.map(\.reading.hasEnded) == [true])
        #expect(Diagnosis(reports, incident.process).first.title.hasPrefix("every pool of this process has ended"))
        #expect(ConfigText.page(reports, incident.process).hasPrefix("CONFIG: no pool is running\n"))
    }

    private func row(_ verdict: Verdict, _ label: String) -> String? {
        verdict.rows.first { $0.label == label }?.text
    }
}
