extension Double {
    /// The nearest number to a total.
    ///
    /// The standard library's conversion from 128 bits goes through generic code, which took a tenth of a scrape. Totals
    /// rarely need more than 64.
    init(total: UInt128) {
        self = total <= UInt128(UInt64.max) ? Double(UInt64(truncatingIfNeeded: total)) : Double(total)
    }
}
