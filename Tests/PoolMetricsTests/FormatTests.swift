import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

@Suite("The formats of an exposition")
struct FormatTests {
    let pools = ExpositionTests()

    /// A sample without what differs between the formats.
    private struct Fact: Hashable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    private func facts(_ page: ExpositionReader) -> [Fact] {
        page.samples.map { Fact(name: $0.name, labels: $0.labels, value: $0.value) }
    }

    /// One snapshot of two pools that have done a little of everything, and of the process.
    private func snapshot() throws -> Scrape {
        let measured = try [pools.busyPool("one"), pools.busyPool(#"nasty " \ "#)]
        return withExtendedLifetime(measured) {
            Scrape(pools: pools.registry.readings(), process: .current(), poolsCreated: 3, poolsAlive: 2)
        }
    }

    @Test("Text and OpenMetrics of one snapshot carry the same samples in the same order")
    func sameSamples() throws {
        let scrape = try snapshot()
        let text = try ExpositionReader(Exposition.render(scrape, as: .text))
        let openMetrics = try ExpositionReader(Exposition.render(scrape, as: .openMetrics), as: .openMetrics)
        #expect(facts(text) == facts(openMetrics))
        #expect(text.samples.count > 500)
        let draft = Exposition.render(scrape, as: .openMetricsDraft)
        #expect(draft == Exposition.render(scrape, as: .openMetrics))
    }

    @Test("OpenMetrics has the families of the text, counters without the suffix of their samples, and units")
    func families() throws {
        let scrape = try snapshot()
        let text = try ExpositionReader(Exposition.render(scrape, as: .text))
        let page = try ExpositionReader(Exposition.render(scrape, as: .openMetrics), as: .openMetrics)
        #expect(page.types.count == text.types.count)
        for (name, type) in text.types {
            let family = type == "counter" ? String(name.dropLast("_total".count)) : name
            #expect(page.types[family] == type)
            #expect(page.helps[family] == text.helps[name])
        }
        #expect(page.types["http_client_pool_acquires"] == "counter")
        #expect(page.types["poolscope_build_info"] == "gauge")
        #expect(page.units["http_client_pool_lease_seconds"] == "seconds")
        #expect(page.units["http_client_pool_acquire_duration_seconds"] == "seconds")
        #expect(page.units["http_client_pool_reuse_ratio"] == "ratio")
        #expect(page.units["process_resident_memory_bytes"] == "bytes")
        #expect(page.units["http_client_pool_connections"] == nil)
        #expect(!page.samples.contains { $0.name.hasSuffix("_created") })
    }

    @Test(
        "PyPI's prometheus_client reads the same samples from each format",
        arguments: ExpositionReader.Format.allCases
    )
    func python(format: ExpositionReader.Format) async throws {
        let bytes = Exposition.render(try snapshot(), as: format == .text ? .text : .openMetrics)
        let ours = try ExpositionReader(bytes, as: format)
        let theirs = try await PythonExposition.read(bytes, as: format)
        let read = try theirs.samples.map { Fact(name: $0.name, labels: $0.labels, value: try #require($0.number)) }
        #expect(read == facts(ours))
        #expect(theirs.units == ours.units)
        // It drops the suffix of counters in the text format too.
        if format == .openMetrics { #expect(theirs.types == ours.types) }
    }

    @Test(
        "A family is selected by its name in either format or by the name of a sample",
        arguments: [
            ("http_client_pool_connections", "http_client_pool_connections"),
            ("http_client_pool_acquires_total", "http_client_pool_acquires_total"),
            ("http_client_pool_acquires", "http_client_pool_acquires_total"),
            ("http_client_pools", "http_client_pools"),
            ("http_client_pools_created", "http_client_pools_created_total"),
            ("http_client_pool_lease_duration_seconds", "http_client_pool_lease_duration_seconds"),
            ("http_client_pool_lease_duration_seconds_bucket", "http_client_pool_lease_duration_seconds"),
            ("http_client_pool_lease_duration_seconds_sum", "http_client_pool_lease_duration_seconds"),
            ("http_client_pool_lease_duration_seconds_count", "http_client_pool_lease_duration_seconds"),
            ("process_open_fds", "process_open_fds"),
        ]
    )
    func selection(name: String, family: String) throws {
        let scrape = try snapshot()
        let page = try ExpositionReader(Exposition.render(scrape, as: .text, only: [name, "unknown"]))
        #expect(Array(page.types.keys) == [family])
        let whole = try ExpositionReader(Exposition.render(scrape, as: .text))
        #expect(facts(page) == facts(whole).filter { $0.name.hasPrefix(family) && whole.family(of: $0.name) == family })
        let openMetrics = Exposition.render(scrape, as: .openMetrics, only: [name])
        #expect(facts(try ExpositionReader(openMetrics, as: .openMetrics)) == facts(page))
    }

    @Test("Selected families are written once each, in the usual order")
    func selectedOrder() throws {
        let names: Set = [
            "process_open_fds", "http_client_pool_acquires", "http_client_pool_acquires_total",
            "http_client_pool_connections",
        ]
        let page = try ExpositionReader(Exposition.render(snapshot(), as: .text, only: names))
        var families: [String] = []
        for sample in page.samples where families.last != sample.family { families.append(sample.family) }
        #expect(families == ["http_client_pool_connections", "http_client_pool_acquires_total", "process_open_fds"])
    }

    @Test(
        "Where no family is selected, the exposition is empty and valid",
        arguments: [[], ["unknown", ""]] as [Set<String>]
    )
    func emptySelection(names: Set<String>) async throws {
        let scrape = try snapshot()
        #expect(Exposition.render(scrape, as: .text, only: names).isEmpty)
        let openMetrics = Exposition.render(scrape, as: .openMetrics, only: names)
        #expect(String(decoding: openMetrics, as: UTF8.self) == "# EOF\n")
        #expect(try await PythonExposition.read(openMetrics, as: .openMetrics).samples.isEmpty)
    }

    @Test("The public renderer takes the counts of pools from the process, and keeps to the selection")
    func publicRenderer() throws {
        let bytes = Exposition.render([], process: nil, as: .openMetrics, only: ["http_client_pools"])
        #expect(try ExpositionReader(bytes, as: .openMetrics).samples.map(\.name) == ["http_client_pools"])
    }
}

extension ExpositionReader {
    /// The family of a sample with this name.
    fileprivate func family(of name: String) -> String? { samples.first { $0.name == name }?.family }
}
