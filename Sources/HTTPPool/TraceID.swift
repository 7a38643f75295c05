/// The identifier of a sampled trace, from the header field `traceparent` of W3C Trace Context.
///
/// A pool passes it on with the events of the request (``PoolTurn/traces``), and histograms show it as an exemplar.
public struct TraceID: Sendable, Hashable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// Reads the value of a `traceparent` field.
    ///
    /// `nil` unless it is of version 00, valid, and sampled: a trace that nobody records cannot be looked up.
    ///
    /// - Parameter traceparent: such as `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
    public init?(traceparent: String) {
        var traceparent = traceparent
        guard let id = traceparent.withUTF8({ Self(traceparent: $0.span) }) else { return nil }
        self = id
    }

    /// Reads the bytes of a `traceparent` field: `00-`, the trace, `-`, the span, `-`, the flags.
    package init?(traceparent text: Span<UInt8>) {
        let dash = UInt8(ascii: "-")
        guard text.count == 55, text[2] == dash, text[35] == dash, text[52] == dash,
            Self.number(in: text, 0..<2) == 0,
            let high = Self.number(in: text, 3..<19), let low = Self.number(in: text, 19..<35), high | low != 0,
            let span = Self.number(in: text, 36..<52), span != 0,
            let flags = Self.number(in: text, 53..<55), flags & 1 == 1
        else { return nil }
        self.high = high
        self.low = low
    }

    /// The value of lower-case hexadecimal digits; W3C Trace Context has no others.
    private static func number(in text: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var number: UInt64 = 0
        for index in range {
            let digit: UInt8
            switch text[index] {
            case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"):
                digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    /// The 32 hexadecimal digits, in ASCII.
    package var digits: [UInt8] {
        [high, low].flatMap { half in
            (0..<16).map { index in
                let digit = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * index)) & 0xf
                return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
        }
    }

    /// The 32 hexadecimal digits.
    public var description: String { String(decoding: digits, as: UTF8.self) }
}
