extension BinaryInteger {
    /// The number with its noun in the right form: `1 byte`, `2 bytes`.
    ///
    /// - Parameters:
    ///   - noun: the singular; an `s` makes the plural.
    package func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
