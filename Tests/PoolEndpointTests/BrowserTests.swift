import Foundation
import HTTPPool
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint
@testable import PoolPages

@Suite("The pages in a browser")
struct BrowserTests {
    /// A pool with an upstream that is waited for, behind the endpoint.
    private func withPool(_ body: (EndpointAddress) async throws -> Void) async throws {
        let registry = PoolRegistry()
        let recorder = PoolRecorder(backend: PoolBackend(library: "client/1.0", tls: "none"))
        let measured = try MeasuredPool(recorder, name: "shared", registry: registry)
        let origin = Origin(scheme: "https", host: "upstream.example", port: 443)
        recorder.record { ledger in
            let held = ledger.submitted(to: origin, site: "catalog")
            let connection = ledger.connectionOpening(to: origin)
            ledger.connectionOpened(connection)
            ledger.acquired(held, on: connection)
            ledger.requestSent(held)
            ledger.queued(ledger.submitted(to: origin, site: "</script>"), behind: .connections)
        }
        try await withEndpoint(registry: registry, body)
        withExtendedLifetime(measured) {}
    }

    static let chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

    @Test(
        "The query names the format, then Accept: what it weighs most, of equals the first; anything else is text",
        arguments: [
            ("", "*/*", "text/plain"), ("", "", "text/plain"), ("", chrome, "text/html"),
            ("", "text/html", "text/html"), ("", "*/*, text/html", "text/plain"), ("", "text/html, */*", "text/html"),
            ("", "text/html;q=0.5, */*", "text/plain"), ("", "text/html;q=0, */*;q=0.1", "text/plain"),
            ("", "application/json", "application/json"), ("", "application/json, text/plain, */*", "application/json"),
            ("", "application/json;q=0.4, text/html;q=0.5", "text/html"), ("", "text/*", "text/plain"),
            ("", "image/png", "text/plain"), ("?format=text", chrome, "text/plain"),
            ("?format=html", "*/*", "text/html"), ("?format=json", chrome, "application/json"),
            ("?format=xml", chrome, "text/html"),
        ]
    )
    func negotiation(_ query: String, _ accept: String, _ type: String) async throws {
        try await withPool { address in
            for path in ["/", "/leases", "/queue", "/events", "/config", "/pools/shared"] {
                let format = "%{http_code} %{content_type} %header{vary}"
                let url = "http://\(address)\(path)\(query)"
                let output = try await curl("-o", "/dev/null", "-w", format, "-H", "Accept: \(accept)", url).output
                #expect(
                    output.hasPrefix("200 \(type)") && output.hasSuffix(" Accept, Accept-Encoding"),
                    "\(path): \(output)"
                )
            }
        }
    }

    @Test("HTML has the header fields that keep it to itself; text and JSON need none of them")
    func headers() async throws {
        try await withPool { address in
            let html = try await curl("-I", "http://\(address)/?format=html").output
            for field in [
                "Content-Security-Policy: \(HTMLAssets.policy)", "X-Content-Type-Options: nosniff",
                "X-Frame-Options: DENY",
                "Referrer-Policy: no-referrer", "Content-Type: text/html; charset=utf-8", "Cache-Control: no-store",
            ] { #expect(html.contains("\r\n\(field)\r\n"), "\(field)") }
            for format in ["text", "json"] {
                let other = try await curl("-I", "http://\(address)/?format=\(format)").output
                #expect(other.hasPrefix("HTTP/1.1 200") && !other.contains("Content-Security-Policy"))
                #expect(other.contains("\r\nX-Content-Type-Options: nosniff\r\n"))
            }
            let missing = try await curl("-i", "-H", "Accept: text/html", "http://\(address)/pools/none").output
            #expect(missing.hasPrefix("HTTP/1.1 404") && missing.contains("\r\nContent-Type: text/plain"))
        }
    }

    /// The document after some seconds in the browser, and what its console says.
    private func browse(_ url: String, seconds: Int) async throws -> (document: String, console: String) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await runProgram(
            "chromium",
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--user-data-dir=\(folder.path)", "--enable-logging=stderr", "--v=0",
                // Nothing but the endpoint can be reached.
                "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
                "--virtual-time-budget=\(seconds * 1000)", "--dump-dom", url,
            ]
        )
        #expect(result.status == 0 && result.output.contains("</html>"), "\(result.errors.suffix(500))")
        let console = result.errors.split(separator: "\n").filter { $0.contains("CONSOLE") }.joined(separator: "\n")
        return (result.output, console)
    }

    @Test(
        "The policy lets a page's own style and script run, and its console is empty",
        arguments: ["/", "/leases", "/queue", "/events", "/config", "/pools/shared"]
    )
    func runs(_ path: String) async throws {
        try await withPool { address in
            let (document, console) = try await browse("http://\(address)\(path)", seconds: 7)
            #expect(console.isEmpty, "\(console)")
            #expect(
                document.contains("<b role=\"status\">live</b>") && document.contains(">pause</button>"),
                "\(document.suffix(3000))"
            )
        }
    }

    @Test("A page fetches itself each five seconds")
    func live() async throws {
        let registry = PoolRegistry()
        try await withEndpoint(registry: registry) { address in
            let page = "http://\(address)/"
            let (document, console) = try await browse(page, seconds: 17)
            #expect(console.isEmpty, "\(console)")
            #expect(document.contains("No pool is measured") && document.contains(">live</b>"))
            let query = "name[]=poolscope_endpoint_requests_total"
            let metrics = try await curl("-g", "http://\(address)/metrics?\(query)").output
            let line = metrics.split(separator: "\n").first { $0.contains("page=\"status\"") && $0.contains("200") }
            let count = try #require(line?.split(separator: " ").last.flatMap { Double($0) }, "\(metrics)")
            // One for the page, two or three by its script, which looks at its clock once a second.
            #expect(count == 3 || count == 4)
        }
    }

    /// The words beside the clock of a page from a file, which cannot be fetched, after 12 seconds.
    private func words(after action: String) async throws -> String {
        var page = ""
        try await withPool { address in page = try await curl("http://\(address)/leases?format=html").output }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).html")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(page.replacing("</body>", with: "<script>\(action)</script></body>").utf8).write(to: file)
        let document = try await browse(file.absoluteString, seconds: 12).document
        let live = try #require(document.firstRange(of: "<p class=\"live"))
        return String(document[live.lowerBound...].prefix { $0 != "\n" })
    }

    @Test("A page whose process is gone says for how long there has been no response")
    func gone() async throws {
        let words = try await words(after: "")
        #expect(words.contains("<b role=\"status\">no response</b><span> for 1"), "\(words)")
        #expect(words.hasPrefix("<p class=\"live stale\""))
    }

    @Test(
        "A page does not change below a selection or a field that is in use",
        arguments: [
            ("getSelection().selectAllChildren(document.querySelector('h1'))", "paused: text is selected"),
            ("document.querySelector('input').focus()", "paused: the page is in use"),
            ("document.querySelector('.live button').click()", "paused"),
        ]
    )
    func pauses(_ action: String, _ state: String) async throws {
        let words = try await words(after: action)
        #expect(words.contains("<b role=\"status\">\(state)</b>"), "\(words)")
        #expect(words.hasPrefix("<p class=\"live\""))
    }
}
