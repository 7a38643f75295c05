import Foundation
import HTTPPool
import HTTPTypes
import LoopbackUpstream
import PoolMetrics
import TestSupport
import Testing

@Suite("A real Prometheus", .serialized)
struct PrometheusTests {
    @Test("stores every sample that the endpoint shows, with its value")
    func storesWhatIsShown() async throws {
        try await Workday.with { day in
            try await day.work()
            let prometheus = try await Prometheus.start(scraping: day.endpoint)
            try await prometheus.nextScrape()
            let up = try await prometheus.query("up")
            #expect(up.map(\.value) == [1])
            #expect(up.map { $0.labels["instance"] } == [day.endpoint])

            let shown = try await CheckedScrapes().scrape("http://\(day.endpoint)/metrics").samples
            let stored = try await prometheus.query(#"{job="poolscope"}"#).reduce(into: [:]) { stored, series in
                stored[series.labels.filter { $0.key != "job" && $0.key != "instance" }] = series.value
            }
            for sample in shown {
                let labels = sample.labels.merging(["__name__": sample.name]) { $1 }
                guard let value = stored[labels] else {
                    Issue.record("not stored: \(labels)")
                    continue
                }
                // What belongs to the process changes all the time, and other tests make pools. Of a pool at rest only
                // the time that its idle connections have been there grows.
                guard sample.labels["pool"] != nil, sample.name != Self.growing else { continue }
                #expect(value == sample.value, "\(labels)")
            }

            let names = Set(stored.keys.compactMap { $0["__name__"] })
            #expect(names.isSuperset(of: Self.promised), "\(Self.promised.subtracting(names))")
            try await agrees(prometheus, with: day.client.reading())
        }
    }

    @Test("stores equal samples from OpenMetrics, which it prefers, and from text")
    func bothFormats() async throws {
        try await Workday.with { day in
            try await day.work()
            // Prometheus 2.42 cannot be configured to prefer text, so nginx says it in its place.
            let text = try await Nginx.start(
                locations: """
                    location = /metrics {
                      proxy_pass http://\(day.endpoint); proxy_set_header Accept "text/plain;version=0.0.4";
                    }
                    """
            )
            let prometheus = try await Prometheus.start(scraping: day.endpoint, text.authority)
            try await prometheus.nextScrape()
            #expect(try await prometheus.query("up").map(\.value) == [1, 1])

            let counter = "http_client_pool_lease_seconds"
            let declared = try await prometheus.declarations(of: counter)
            #expect(declared == [day.endpoint: .init(type: "counter", unit: "seconds")])
            let declaredInText = try await prometheus.declarations(of: counter + "_total")
            #expect(declaredInText == [text.authority: .init(type: "counter", unit: "")])

            var stored: [String: [[String: String]: Double]] = [:]
            // Without what the rules record, whose names have a colon.
            for series in try await prometheus.query(#"{job="poolscope", __name__!~".*:.*|ALERTS.*"}"#) {
                let labels = series.labels.filter { $0.key != "job" && $0.key != "instance" }
                stored[series.labels["instance"] ?? "", default: [:]][labels] = series.value
            }
            let openMetrics = try #require(stored[day.endpoint])
            let plain = try #require(stored[text.authority])
            let isOwn = { (labels: [String: String]) in labels["__name__"]?.hasPrefix("scrape_") == false }
            #expect(Set(openMetrics.keys.filter(isOwn)) == Set(plain.keys.filter(isOwn)))
            for (labels, value) in openMetrics where labels["pool"] != nil {
                guard labels["__name__"] != Self.growing else { continue }
                #expect(plain[labels] == value, "\(labels)")
            }
        }
    }

    @Test("stores the exemplars of traced requests, with their traces, values and times")
    func exemplars() async throws {
        try await Workday.with { day in
            let traces = ["4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"]
            let prometheus = try await Prometheus.start(scraping: day.endpoint, features: ["exemplar-storage"])
            for trace in traces {
                let fields: HTTPFields = [.traceparent: "00-\(trace)-00f067aa0ba902b7-01"]
                _ = try await day.client.execute("http://\(day.upstream.authority)/fast", headers: fields).collect()
                try await prometheus.nextScrape()
            }
            let bytes = Exposition.render([day.client.reading()], process: nil, as: .openMetrics)
            let shown = try ExpositionReader(bytes, as: .openMetrics).samples.filter { $0.exemplar != nil }
            let stored = try await prometheus.exemplars(#"{pool="workday"}"#)
            #expect(Set(stored.flatMap(\.exemplars).compactMap { $0.labels["trace_id"] }) == Set(traces))
            #expect(!shown.isEmpty)
            for sample in shown {
                let series = stored.filter { series in
                    series.seriesLabels["__name__"] == sample.name
                        && sample.labels.allSatisfy { series.seriesLabels[$0.key] == $0.value }
                }
                let last = try #require(series.first?.exemplars.last, "\(sample)")
                #expect(series.count == 1)
                #expect(last.labels == sample.exemplar?.labels)
                #expect(Double(last.value) == sample.exemplar?.value)
                #expect(last.timestamp == sample.exemplar?.time)
            }
        }
    }

    @Test("has a number for every query of the boards, and fills their variables")
    func boards() async throws {
        try await Workday.with { day in
            let prometheus = try await Prometheus.start(scraping: day.endpoint)
            // Rates need a scrape before, and one after, of counters that have moved.
            for _ in 0..<2 {
                try await day.work()
                try await prometheus.nextScrape()
            }
            let boards = try Dashboard.all()
            #expect(boards.count == 4)
            for board in boards {
                for query in try board.queries(rateInterval: "1m") {
                    // The rules are evaluated after a scrape, so what they record comes later.
                    try await eventually("\(board.title): \(query.panel): \(query.expr)") {
                        // Of one process no setting has more than one value.
                        let series = try await prometheus.query(query.expr.replacing(#/ > 1$/#, with: ""))
                        // Nothing fires, or not yet.
                        return query.expr.contains("ALERTS") || series.contains { !$0.value.isNaN }
                    }
                }
                for query in try board.labelQueries() {
                    let values = try await prometheus.values(ofLabel: query.label, in: query.selector)
                    switch query.variable {
                    case "job": #expect(values == ["poolscope"])
                    case "instance": #expect(values == [day.endpoint])
                    case "pool": #expect(values == ["workday"])
                    // This Prometheus has neither.
                    case "cluster", "namespace": #expect(values.isEmpty)
                    default: #expect(values.count > 1, "\(board.title): \(query.variable)")
                    }
                }
            }
        }
    }

    @Test("is drawn by the preview, each panel of each board, in a browser")
    func preview() async throws {
        try await Workday.with { day in
            let prometheus = try await Prometheus.start(scraping: day.endpoint)
            for _ in 0..<2 {
                try await day.work()
                try await prometheus.nextScrape()
            }
            // The last of the rules that the boards need.
            try await eventually("the rules are evaluated") {
                try await !prometheus.query("job_pool:http_client_pool_time_to_head_seconds_bucket:rate5m").isEmpty
            }
            let file = Dashboard.folder.appendingPathComponent("preview/serve.py").path
            let preview = try Program("python3", [file, "--prometheus", prometheus.url, "--port", "0"])
            var url: String?
            try await eventually("the preview listens") {
                guard preview.isRunning else { throw TestFailure("the preview ended: \(preview.errors)") }
                url = preview.output.firstMatch(of: /: (http:\/\/127\.0\.0\.1:\d+\/)\n/).map { String($0.1) }
                return url != nil
            }
            for name in ["fleet", "service", "pool", "origin"] {
                let board = try Dashboard(contentsOf: Dashboard.folder.appendingPathComponent("grafana/\(name).json"))
                let profile = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
                defer { try? FileManager.default.removeItem(at: profile) }
                let page = try await runProgram(
                    "chromium",
                    [
                        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server",
                        "--disable-background-networking", "--disable-component-update",
                        "--user-data-dir=\(profile.path)", "--virtual-time-budget=30000", "--dump-dom",
                        "\(try #require(url))?board=\(name)&range=900",
                    ]
                ).output
                #expect(page.contains("<title>\(board.title)</title>"))
                #expect(page.contains(#"data-ready="true""#), "\(name) was not drawn to its end")
                #expect(!page.contains(#"class="error""#), "\(name)")
                #expect(!page.contains("no data"), "\(name)")
                #expect(page.components(separatedBy: "<section ").count - 1 == board.panelCount, "\(name)")
            }
        }
    }

    @Test("draws the console, which needs none of its libraries")
    func console() async throws {
        try await Workday.with { day in
            let prometheus = try await Prometheus.start(scraping: day.endpoint)
            for _ in 0..<2 {
                try await day.work()
                try await prometheus.nextScrape()
            }
            let row = "<tr><td>poolscope<td>"
            try await eventually("services, upstreams and processes are listed") {
                let page = try await curl("--fail", "\(prometheus.url)/consoles/poolscope.html")
                #expect(page.status == 0, "\(page.errors)")
                return ["workday", "http://", day.endpoint].allSatisfy { page.output.contains(row + $0) }
            }
        }
    }

    /// The counts that Prometheus stored are those of the pool itself.
    private func agrees(_ prometheus: Prometheus, with reading: PoolReading) async throws {
        func counts(_ name: String, _ label: String) async throws -> [[String?]: UInt64] {
            try await prometheus.query("\(name) > 0").reduce(into: [:]) { counts, series in
                counts[[series.labels["origin"], series.labels[label]]] = UInt64(series.value)
            }
        }
        func expected<Key: CaseIterable & RawRepresentable<String>>(
            _ type: Key.Type,
            _ count: (OriginReading, Key) -> UInt64
        ) -> [[String?]: UInt64] {
            reading.origins.reduce(into: [:]) { counts, origin in
                for key in Key.allCases where count(origin, key) > 0 {
                    counts[[origin.label, key.rawValue]] = count(origin, key)
                }
            }
        }
        let acquires = expected(AcquireKind.self) { $0.acquires[$1] }
        #expect(try await counts("http_client_pool_acquires_total", "kind") == acquires)
        #expect(Set(acquires.keys.compactMap { $0[1] }) == ["new", "reused"])
        let failures = expected(AcquireFailure.self) { $0.acquireFailures[$1] }
        #expect(try await counts("http_client_pool_acquire_failures_total", "reason") == failures)
        #expect(Set(failures.keys.compactMap { $0[1] }) == ["timeout", "connect_failed"])
        let closed = expected(CloseReason.self) { $0.connectionsClosed[$1] }
        #expect(try await counts("http_client_pool_connections_closed_total", "reason") == closed)
        let reasons = Set(closed.keys.compactMap { $0[1] })
        #expect(reasons.isSuperset(of: ["response_close", "request_timeout", "request_cancelled"]), "\(reasons)")
        let ratio = try await prometheus.query("http_client_pool_reuse_ratio").map(\.value)
        #expect(ratio == [reading.reuseRatio])
    }

    private static let growing = "http_client_pool_connection_seconds_total"

    /// What a service that uses the package may rely on.
    private static let promised: Set<String> = [
        "http_client_pool_connections", "http_client_pool_requests", "http_client_pool_max_connections",
        "http_client_pool_max_connections_per_origin", "http_client_pool_max_idle_connections",
        "http_client_pool_max_queued_requests", "http_client_pool_keepalive_expiry_seconds",
        "http_client_pool_max_connection_lifetime_seconds", "http_client_pool_timeout_seconds",
        "http_client_pool_config_source", "http_client_pool_config_changes_total",
        "http_client_pool_config_last_change_timestamp_seconds", "http_client_pool_acquires_total",
        "http_client_pool_acquire_failures_total",
        "http_client_pool_connections_opened_total", "http_client_pool_connections_closed_total",
        "http_client_pool_acquire_duration_seconds_bucket", "http_client_pool_acquire_duration_seconds_sum",
        "http_client_pool_acquire_duration_seconds_count", "http_client_pool_reuse_ratio", "http_client_pools",
        "http_client_pools_created_total", "poolscope_build_info", "process_cpu_seconds_total",
        "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds",
    ]
}
