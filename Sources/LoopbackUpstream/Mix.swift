/// A weighted random choice.
package struct Mix<Element: Sendable>: Sendable {
    private let entries: [(element: Element, ceiling: Int)]
    private let total: Int

    /// Creates a mix in which an element is chosen in proportion to its weight.
    ///
    /// At least one weight must be above 0.
    package init(_ weighted: [(weight: Int, element: Element)]) {
        var total = 0
        entries = weighted.map { weight, element in
            total += weight
            return (element, total)
        }
        precondition(total > 0, "a mix needs at least one weight above 0")
        self.total = total
    }

    /// Chooses an element.
    package func pick(using random: inout some RandomNumberGenerator) -> Element {
        let ticket = Int.random(in: 0..<total, using: &random)
        // Always found: the last ceiling is the total, which exceeds every ticket.
        let index = entries.firstIndex { ticket < $0.ceiling } ?? entries.endIndex - 1
        return entries[index].element
    }
}
