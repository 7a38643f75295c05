import PoolMetrics
import PoolPages

/// The format of a page that a request accepts most (RFC 9110, 12.5.1).
enum PageFormats {
    /// The first of the entries with the greatest weight decides: browsers name HTML first, and `*/*` last with a smaller weight.
    /// Whatever else is wanted, such as `*/*` of curl, gets text.
    ///
    /// - Parameter accept: the value of `Accept`, several joined by commas; empty without the header.
    static func preferred(_ accept: String) -> PageQuery.Format {
        var best: (format: PageQuery.Format, weight: Double) = (.text, 0)
        for entry in WeightedValue.list(accept) {
            guard let format = formats[entry.value], entry.weight > best.weight else { continue }
            best = (format, entry.weight)
        }
        return best.format
    }

    private static let formats: [String: PageQuery.Format] = [
        "text/html": .html, "application/json": .json, "text/plain": .text, "text/*": .text, "*/*": .text,
    ]
}
