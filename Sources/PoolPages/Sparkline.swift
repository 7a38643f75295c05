/// A chart of one line: a character for each value.
enum Sparkline {
    private static let bars = Array("▁▂▃▄▅▆▇█")
    private static let plain = Array("_.:-=+*#")

    /// The values from 0 to `top`. Zero is the lowest bar, anything above it at least the second one; `nil` is a space.
    static func text(_ values: [Double?], top: Double, isPlain: Bool) -> String {
        let bars = isPlain ? plain : bars
        return String(
            values.map { value in
                guard let value else { return " " }
                guard value > 0, top > 0 else { return bars[0] }
                let step = Int((min(1, value / top) * Double(bars.count - 1)).rounded())
                return bars[max(1, step)]
            }
        )
    }
}
