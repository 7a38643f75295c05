import TestSupport
import Testing

@Suite("The strict reader of expositions")
struct ExpositionReaderTests {
    static let gauge = "# HELP a A.\n# TYPE a gauge\n"
    static let histogram = "# HELP h H.\n# TYPE h histogram\n"

    @Test("It reads names, labels, escapes and values")
    func reads() throws {
        let text = Self.gauge + #"a{x="\\ \" \n",y=""} -Inf"# + "\na 1e-05\n"
        let page = try ExpositionReader(Array(text.utf8))
        #expect(page.value("a", ["x": "\\ \" \n"]) == -.infinity)
        #expect(page.samples.map(\.value) == [-.infinity, 1e-05])
        #expect(page.types == ["a": "gauge"])
        #expect(page.helps == ["a": "A."])
        #expect(page.value("b") == nil)
    }

    @Test(
        "It refuses what is wrong",
        arguments: [
            gauge + "a 1", gauge + "a 1\na 2\n", gauge + "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n", "a 1\n",
            gauge + "b 1\n", gauge + "a inf\n", gauge + "a nan\n", gauge + "a{x=\"\\t\"} 1\n", gauge + "a{x=\"1\" 1\n",
            gauge + "a{x=\"1\",x=\"1\"} 1\n", gauge + "a  1\n", gauge + "\n", gauge + "a{2=\"1\"} 1\n",
            gauge + "a 1\n# HELP b B.\n# TYPE b gauge\nb 1\na{x=\"1\"} 1\n", gauge + "a 1\n" + gauge,
            "# HELP a A.\na 1\n", "# TYPE a gauge\na 1\n", "# HELP a A.\n# TYPE a counter\na -1\n",
            histogram + "h_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
            histogram + "h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",
            histogram + "h_bucket{le=\"1.0\"} 1\nh_sum 1\nh_count 1\n",
            histogram + "h_bucket{le=\"+Inf\"} 1\nh_count 1\n",
            histogram + "h_bucket{le=\"2.0\"} 1\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
            histogram + "h_bucket{le=\"+Inf\"} 1\nh_sum 1\n",
        ]
    )
    func refuses(_ text: String) {
        #expect(throws: ExpositionReader.Failure.self) { try ExpositionReader(Array(text.utf8)) }
    }

    static let counter = "# HELP a C.\n# TYPE a counter\n"
    static let seconds = "# HELP a_seconds S.\n# TYPE a_seconds gauge\n"

    @Test("It reads OpenMetrics, with names of counters and units as they are there")
    func readsOpenMetrics() throws {
        let text =
            "# HELP a \\\"A\\\".\n# TYPE a counter\na_total 2\n\(Self.seconds)# UNIT a_seconds seconds\na_seconds 1\n# EOF\n"
        let page = try ExpositionReader(Array(text.utf8), as: .openMetrics)
        #expect(page.value("a_total") == 2)
        #expect(page.types == ["a": "counter", "a_seconds": "gauge"])
        #expect(page.units == ["a_seconds": "seconds"])
        #expect(page.helps["a"] == "\"A\".")
        #expect(page.samples.map(\.family) == ["a", "a_seconds"])
    }

    @Test(
        "It refuses what is wrong in OpenMetrics",
        arguments: [
            "", counter + "a_total 1\n", counter + "a_total 1\n# EOF\n\n", counter + "a_total 1\n# EOF",
            counter + "a_total 1\n# EOF\n# EOF\n", counter + "a 1\n# EOF\n", counter + "a_total -1\n# EOF\n",
            counter + "a_total 1\na_created 1\n# EOF\n",
            "# HELP a_total A.\n# TYPE a_total counter\na_total_total 1\n# EOF\n",
            "# HELP a \"A\".\n# TYPE a gauge\na 1\n# EOF\n", seconds + "a_seconds 1\n# EOF\n",
            seconds + "# UNIT a_seconds bytes\na_seconds 1\n# EOF\n",
            seconds + "a_seconds 1\n# UNIT a_seconds seconds\n# EOF\n",
        ]
    )
    func refusesOpenMetrics(_ text: String) {
        #expect(throws: ExpositionReader.Failure.self) { try ExpositionReader(Array(text.utf8), as: .openMetrics) }
    }
}
