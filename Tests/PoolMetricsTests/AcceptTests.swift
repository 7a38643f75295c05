import Testing

@testable import PoolMetrics

@Suite("The format that a request accepts")
struct AcceptTests {
    static let prometheus2 =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    static let prometheus3 =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    static let protobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
    static let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"

    @Test(
        "It is the one of the greatest weight, and OpenMetrics only by its name",
        arguments: [
            // What Prometheus 2.42, 3.x and 3.x with protobuf or text preferred send.
            (prometheus2, .openMetrics), (prometheus3, .openMetrics), (protobuf + prometheus3, .openMetrics),
            ("text/plain;version=1.0.0;escaping=underscores;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4", .text),
            ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.4", .text),
            // An older one.
            ("application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetricsDraft),
            // Nothing known, anything, a browser.
            ("", .text), ("*/*", .text), ("*", .text), ("text/*", .text), (browser, .text), ("application/*", .text),
            ("application/json", .text), (protobuf, .text), (",;,;=;q", .text),
            ("application/openmetrics-text/x", .text),
            // Versions.
            ("application/openmetrics-text", .openMetricsDraft), ("application/openmetrics-text;version=2.0.0", .text),
            (
                "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.1",
                .openMetrics
            ),
            ("application/openmetrics-text;version=\"1.0.0\";charset=utf-8", .openMetrics),
            ("Application/OpenMetrics-Text ; Version=1.0.0 ; Q=0.5", .openMetrics),
            // Weights.
            ("application/openmetrics-text;version=1.0.0;q=0", .text),
            ("application/openmetrics-text;version=1.0.0;q=0,*/*", .text),
            ("text/plain;q=0,application/openmetrics-text;version=1.0.0;q=0.001", .openMetrics),
            ("text/plain;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4", .text),
            ("text/plain,application/openmetrics-text;version=1.0.0", .text),
            ("application/openmetrics-text;version=1.0.0,text/plain", .openMetrics),
            ("*/*,application/openmetrics-text;version=1.0.0", .openMetrics),
            ("*/*,application/openmetrics-text;version=1.0.0;q=0.9", .text),
            ("application/openmetrics-text;version=1.0.0;q=high", .text),
            ("application/openmetrics-text;version=1.0.0;q=nan", .text),
            ("application/openmetrics-text;version=1.0.0;q=-1", .text),
            ("application/openmetrics-text;version=1.0.0;q=9,text/plain", .openMetrics),
        ] as [(String, Exposition.Format)]
    )
    func negotiation(accept: String, format: Exposition.Format) {
        #expect(Exposition.Format(accept: accept) == format)
    }

    @Test("Each format has the content type that Prometheus asks for")
    func contentTypes() {
        #expect(
            Exposition.Format.allCases.map(\.contentType) == [
                "text/plain; version=0.0.4; charset=utf-8",
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
                "application/openmetrics-text; version=0.0.1; charset=utf-8",
            ]
        )
    }

    @Test("Only the first 64 entries of a header are read")
    func bounded() {
        let wanted = "application/openmetrics-text;version=1.0.0"
        let entries = Array(repeating: "a/b", count: 63)
        #expect(Exposition.Format(accept: (entries + [wanted]).joined(separator: ",")) == .openMetrics)
        #expect(Exposition.Format(accept: (entries + ["a/b", wanted]).joined(separator: ",")) == .text)
        #expect(WeightedValue.list(String(repeating: "a,", count: 10_000)).count == 64)
    }
}
