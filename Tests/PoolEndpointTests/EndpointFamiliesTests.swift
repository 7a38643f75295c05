import HTTPPool
import Logging
import PoolMetrics
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("What the endpoint reports about itself")
struct EndpointFamiliesTests {
    private func scrape(_ address: EndpointAddress) async throws -> ExpositionReader {
        try ExpositionReader(Array(try await curl("http://\(address)/metrics").output.utf8))
    }

    private func value(_ page: ExpositionReader, _ name: String, _ labels: [String: String] = [:]) -> Double? {
        page.samples.first { $0.name == name && $0.labels == labels }?.value
    }

    @Test("the first scrape has every series that is known beforehand, at zero")
    func first() async throws {
        try await withEndpoint { address in
            let page = try await scrape(address)
            for reason in ["connections", "deadline", "head_too_large", "bad_request", "host", "unauthorized"] {
                #expect(value(page, "poolscope_endpoint_refused_total", ["reason": reason]) == 0, "\(reason)")
            }
            let pages = ["metrics", "status", "pools", "leases", "queue", "events", "config", "healthy", "ready"]
            for name in pages {
                #expect(
                    value(page, "poolscope_endpoint_requests_total", ["page": name, "code": "200"]) == 0,
                    "\(name)"
                )
            }
            #expect(value(page, "poolscope_endpoint_requests_total", ["page": "other", "code": "404"]) == 0)
            #expect(page.samples.count { $0.name == "poolscope_endpoint_requests_total" } == 10)
            #expect(value(page, "poolscope_scrape_duration_seconds") == 0)
            #expect(value(page, "poolscope_scrape_bytes") == 0)
            #expect(value(page, "poolscope_endpoint_connections") == 1)
        }
    }

    @Test("responses and refusals are counted, and the last scrape is measured")
    func counted() async throws {
        try await withEndpoint { address in
            let first = try await curl("http://\(address)/metrics").output
            _ = try await curl("http://\(address)/")
            _ = try await curl("http://\(address)/nothing")
            _ = try await curl("-X", "POST", "http://\(address)/metrics")
            _ = try await curl("-H", "Host: evil.example", "http://\(address)/metrics")
            _ = try await curl("-H", "Host:", "http://\(address)/metrics")
            _ = try await curl("-H", "A: \(String(repeating: "a", count: 20_000))", "http://\(address)/metrics")
            let page = try await scrape(address)
            for (name, code, count) in [
                ("metrics", "200", 1.0), ("status", "200", 1), ("other", "404", 1), ("metrics", "405", 1),
                ("other", "421", 1),
                ("other", "400", 1), ("other", "431", 1),
            ] {
                let labels = ["page": name, "code": code]
                #expect(value(page, "poolscope_endpoint_requests_total", labels) == count, "\(labels)")
            }
            for reason in ["host", "bad_request", "head_too_large"] {
                #expect(value(page, "poolscope_endpoint_refused_total", ["reason": reason]) == 1, "\(reason)")
            }
            #expect(value(page, "poolscope_scrape_bytes") == Double(first.utf8.count))
            #expect((value(page, "poolscope_scrape_duration_seconds") ?? 0) > 0)
        }
    }

    @Test("only an exposition that an endpoint serves has these families")
    func withoutEndpoint() {
        let text = String(decoding: Exposition.text([], process: .current()), as: UTF8.self)
        #expect(text.contains("poolscope_build_info"))
        #expect(!text.contains("poolscope_endpoint") && !text.contains("poolscope_scrape"))
    }

    @Test("the families of the process can be switched off", arguments: [true, false])
    func process(isOn: Bool) async throws {
        var configuration = EndpointConfiguration(host: "127.0.0.1", port: 0)
        configuration.processMetrics = isOn
        let endpoint = MetricsEndpoint(
            configuration,
            registry: PoolRegistry(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let page = try await scrape(try await endpoint.start())
        let values = page.samples.filter { $0.name.hasPrefix("process_") }.map(\.value)
        #expect(values.count == (isOn ? 5 : 0))
        #expect(values.allSatisfy { $0 > 0 })
        await endpoint.stop()
    }
}
