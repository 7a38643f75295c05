import HTTPPool
import Testing

@Suite("The trace of a request")
struct TraceIDTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let span = "00f067aa0ba902b7"

    @Test("A sampled traceparent gives the trace, whatever the other flags", arguments: ["01", "03", "ff"])
    func sampled(flags: String) throws {
        let id = try #require(TraceID(traceparent: "00-\(Self.trace)-\(Self.span)-\(flags)"))
        #expect(id.description == Self.trace)
        #expect(id == TraceID(traceparent: "00-\(Self.trace)-1111111111111111-01"))
    }

    @Test("Every digit counts")
    func digits() throws {
        let text = "0123456789abcdeffedcba9876543210"
        #expect(try #require(TraceID(traceparent: "00-\(text)-\(Self.span)-01")).description == text)
        let low = "00000000000000000000000000000001"
        #expect(try #require(TraceID(traceparent: "00-\(low)-\(Self.span)-01")).description == low)
    }

    @Test(
        "Anything else gives none",
        arguments: [
            "", "-", "00-\(trace)-\(span)-00", "00-\(trace)-\(span)-02", "01-\(trace)-\(span)-01",
            "ff-\(trace)-\(span)-01",
            "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-\(span)-01", "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01 ",
            " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-1", "00-\(trace)-\(span)", "00_\(trace)-\(span)-01",
            "00-\(trace)_\(span)-01", "00-\(trace)-\(span)_01", "00-4bf92f3577b34da6a3ce929d0e0e473g-\(span)-01",
            "00-\(trace)-\(span)-0g", "é0-\(trace)-\(span)-1", "00-\(trace)-\(span)-01, 00-\(trace)-\(span)-01",
            "\"}0-\(trace)-\(span)-01",
        ]
    )
    func refused(traceparent: String) { #expect(TraceID(traceparent: traceparent) == nil) }
}
