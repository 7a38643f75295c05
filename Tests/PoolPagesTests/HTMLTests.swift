import Foundation
import FoundationXML
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

@testable import PoolPages

@Suite("The pages in HTML")
struct HTMLTests {
    private func pages(_ situation: Situation) -> [String: String] {
        let set = PageSet(situation.reports, situation.process, situation.diagnosis)
        var pages = [
            "/": StatusHTML.page(set), "/leases": RequestsHTML.leases(set), "/queue": RequestsHTML.queue(set),
            "/events": EventsHTML.page(set), "/config": ConfigHTML.page(set),
        ]
        for report in situation.reports {
            pages["/pools/\(report.reading.name)"] = StatusHTML.pool(report, situation.process)
        }
        return pages
    }

    @Test("Each page in each situation is well-formed XML, which any parser of HTML reads alike")
    func wellFormed() async throws {
        let all = try Situation.all().flatMap { Array(pages($0).values) }
        #expect(all.count > 80)
        let script = """
            import sys, xml.etree.ElementTree as tree
            pages = sys.stdin.buffer.read().split(b"\\0")
            for page in pages: tree.fromstring(page)
            print(len(pages))
            """
        let result = try await runProgram("python3", ["-c", script], input: Array(all.joined(separator: "\0").utf8))
        #expect(result.output == "\(all.count)\n", "\(result.errors)")
    }

    @Test("Each page in each situation has what the policy and a screen reader need")
    func structure() throws {
        let situations = try Situation.all()
        #expect(situations.count == 16)
        for situation in situations {
            for (path, text) in pages(situation) {
                let page = try XMLDocument(xmlString: text)
                func count(_ path: String) throws -> Int { try page.nodes(forXPath: path).count }
                func expectNone(_ xpath: String) throws {
                    let found = try page.nodes(forXPath: xpath).map(\.xmlString)
                    #expect(found.isEmpty, "\(path) in \(situation): \(found.first ?? "")")
                }
                // Neither style, script nor source but the ones that the policy allows.
                #expect(try count("//script") == 1 && count("//style") == 1)
                try expectNone("//@style | //@src | //@*[starts-with(name(), 'on')] | //iframe | //object | //base")
                try expectNone("//link[@href != 'data:,']")
                try expectNone("//@href[contains(., '//') or starts-with(., '/') or starts-with(., 'javascript')]")
                // Names and structure.
                #expect(try count("//h1") == 1 && count("//main") == 1 && count("//nav//a[@aria-current]") == 1)
                try expectNone("//th[not(@scope)] | //table[not(@aria-labelledby)] | //section[not(@aria-labelledby)]")
                try expectNone("//svg[not(@aria-hidden) and not(@role='img' and string-length(@aria-label) > 10)]")
                try expectNone("//input[not(@type='hidden') and not(parent::label)]")
                try expectNone("//@id[. = preceding::*/@id]")
                try expectNone("//@aria-labelledby[not(. = //@id)] | //@list[not(. = //@id)]")
                try expectNone(
                    "//tbody/tr[not(@class='group') and count(th | td) != count(ancestor::table/thead/tr/th)]"
                )
            }
        }
    }

    @Test("What names and errors say is text: not markup, not script, and it turns nothing around")
    func hostile() throws {
        let situation = try Situation.hostileNames()
        let pages = pages(situation)
        for (path, text) in pages {
            #expect(!text.contains("<script>alert") && !text.contains("<img") && !text.contains("\u{202E}"), "\(path)")
            #expect(!text.contains("\u{1B}"))
        }
        // The pool has taken out control characters, the page what turns the direction of writing.
        let label = try #require(situation.reports.first?.reading.sites.first { $0.label.contains("script") }?.label)
        let whole = String(label.printable)
        #expect(
            label.contains("\u{202E}")
                && whole.hasPrefix("</td></script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;?")
        )
        for path in ["/", "/leases", "/queue"] {
            let page = try XMLDocument(xmlString: try #require(pages[path]))
            let names = try page.nodes(forXPath: "//tbody//bdi").map { $0.stringValue ?? "" }
            #expect(names.contains(whole), "\(path): \(names)")
        }
        let status = try XMLDocument(xmlString: try #require(pages["/"]))
        let held = try status.nodes(forXPath: "//dt[.='Held by']/following-sibling::dd[1]").first?.stringValue
        #expect(held?.hasSuffix("ملف\u{200E}\": 1 of 50") == true, "\(held ?? "")")
        let events = try XMLDocument(xmlString: try #require(pages["/events"]))
        let details = try events.nodes(forXPath: "//tbody//small").map { $0.stringValue ?? "" }
        #expect(
            details.contains { $0.hasPrefix("</td></script><script>alert(1)</script>\"'><img src=x") },
            "\(details)"
        )
        let link = try status.nodes(forXPath: "//nav/a[.='Pool']/@href").first?.stringValue
        #expect(link == "pools/%3C%2Fh1%3E%3Cscript%3Ealert%280%29%3C%2Fscript%3E%22%27%3E%26amp%3B")
    }

    @Test("Names are whole, however long")
    func whole() throws {
        let situation = try Situation.longNames()
        for (path, text) in pages(situation) where !["/config", "/events"].contains(path) {
            let page = try XMLDocument(xmlString: text)
            let words = try #require(page.rootElement()?.stringValue)
            #expect(words.contains("https://\(Situation.longHost):443"), "\(path)")
            guard path != "/queue" else { continue }
            #expect(words.contains("a call site with quite a long name that does not fit its column"), "\(path)")
        }
    }

    @Test("A page says what its text says: headline, evidence, advice and every number of the tables")
    func sameAsText() throws {
        for situation in try Situation.all() {
            let page = try XMLDocument(xmlString: try #require(pages(situation)["/"]))
            let words = (page.rootElement()?.stringValue ?? "").replacing("\u{A0}", with: " ").replacing(
                "\u{200E}",
                with: ""
            )
            let first = situation.diagnosis.first
            #expect(words.lowercased().contains(first.short.lowercased()), "\(situation)")
            for row in first.rows where row.label != "since" {
                #expect(words.contains(String(row.text.printable)), "\(situation): \(row.text)")
            }
            for report in situation.reports {
                for table in [PoolTables.origins(report), PoolTables.sites(report)]
                where !report.reading.origins.isEmpty {
                    for case .row(let row) in table.lines {
                        let cells = try page.nodes(forXPath: "//tbody/tr[td]").map { $0.stringValue ?? "" }
                            .map { $0.replacing("\u{A0}", with: " ") }
                        let expected = String(row.name.text.printable) + row.cells.map(\.text).joined()
                        #expect(cells.contains(expected), "\(situation): \(expected)")
                    }
                }
            }
        }
    }

    @Test("The first words are those of the trouble, with the time beside them and the advice in order")
    func verdict() throws {
        let situation = try Situation.perUpstream()
        let page = try XMLDocument(xmlString: try #require(pages(situation)["/"]))
        func text(_ path: String) throws -> [String] {
            try page.nodes(forXPath: path).map { ($0.stringValue ?? "").replacing("\u{A0}", with: " ") }
        }
        #expect(try text("//h1") == ["1 upstream is at its limit of 10 connections"])
        #expect(try text("//p[@class='tag']").first?.hasPrefix("Saturated for ") == true)
        #expect(try text("//p[@class='name']") == ["https://catalog-service.prod.svc.cluster.local:443"])
        #expect(try text("//ol/li/small") == ["Do first", "Or set"])
        #expect(try text("//dt").contains("Cause") && !text("//dt").contains("Since"))
        #expect(try text("//body/@class") == ["bad"])
        let charts = try text("//figure//svg[@role='img']/@aria-label")
        #expect(charts.count == 3)
        #expect(
            charts[1].hasPrefix("Active connections, last 10 minutes: 10 now of 10, at most 10, before "),
            "\(charts[1])"
        )
        let healthy = try XMLDocument(xmlString: try #require(pages(Situation.healthy())["/"]))
        #expect(try healthy.nodes(forXPath: "//body/@class").first?.stringValue == "good")
    }

    @Test("A filter keeps what was asked for, as text")
    func filter() throws {
        let situation = try Situation.twoPools()
        let query = PageQuery(target: "/leases?site=%22%3E%3Cb%3E&min_age=90s&limit=7&format=html&origin=")
        let text = RequestsHTML.leases(PageSet(situation.reports, situation.process, situation.diagnosis, query))
        let page = try XMLDocument(xmlString: text)
        func value(_ name: String) throws -> String? {
            try page.nodes(forXPath: "//form[@method='get']//input[@name='\(name)']/@value").first?.stringValue
        }
        #expect(try value("site") == "\"><b>")
        #expect(
            try value("min_age") == "90" && value("limit") == "7" && value("origin") == "" && value("format") == "html"
        )
        #expect(try page.nodes(forXPath: "//datalist[@id='pool-names']/option").count == 2)
        #expect(try page.nodes(forXPath: "//h1").first?.stringValue == "0 requests hold a connection")
    }

    @Test(
        "The policy allows the style and the script of the pages, as OpenSSL hashes them",
        arguments: ["style", "script"]
    )
    func hashes(_ element: String) async throws {
        let page = try XMLDocument(xmlString: try #require(pages(Situation.idle())["/"]))
        let content = try #require(page.nodes(forXPath: "//\(element)").first?.stringValue)
        let source = element == "style" ? HTMLStyle.text : HTMLScript.text
        #expect(content == source)
        let command = "openssl dgst -sha256 -binary | openssl base64 -A"
        let hash = try await runProgram("sh", ["-c", command], input: Array(content.utf8)).output
        #expect(HTMLAssets.policy.contains("\(element)-src 'sha256-\(hash)'"), "now \(hash)")
    }

    @Test("All text has a contrast of 6 to 1, and all lines of bars 3 to 1, in both schemes")
    func contrast() throws {
        let schemes = HTMLStyle.text.split(separator: "\n").prefix(2)
        for scheme in schemes {
            var colors: [String: Double] = [:]
            for part in scheme.split(whereSeparator: { ";{}".contains($0) }) where part.hasPrefix("--") {
                let pair = part.dropFirst(2).split(separator: ":")
                colors[String(pair[0])] = luminance(String(pair[1].dropFirst()))
            }
            #expect(colors.count == 9)
            func ratio(_ one: String, _ other: String) -> Double {
                let (a, b) = (colors[one] ?? 0, colors[other] ?? 0)
                return (max(a, b) + 0.05) / (min(a, b) + 0.05)
            }
            for text in ["ink", "soft", "bad"] { #expect(ratio(text, "bg") >= 6, "\(text): \(ratio(text, "bg"))") }
            for line in ["bar", "idle"] { #expect(ratio(line, "bg") >= 3, "\(line): \(ratio(line, "bg"))") }
            #expect(ratio("bad", "tint") >= 3)
        }
    }

    /// The relative luminance of a color (WCAG 2.2).
    private func luminance(_ hex: String) -> Double {
        let value = Int(hex, radix: 16) ?? 0
        let channels = [value >> 16 & 255, value >> 8 & 255, value & 255].map { channel in
            let share = Double(channel) / 255
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
    }
}
