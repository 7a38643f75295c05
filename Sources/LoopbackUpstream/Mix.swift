/// Things to choose from at random, each with a weight.
package struct Mix<Element: Sendable>: Sendable {
    private let entries: [(element: Element, ceiling: Int)]
    private let total: Int

    /// A mix in which an element comes up `weight` times out of the sum of all weights.
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

    /// One of the elements.
    package func pick(using random: inout some RandomNumberGenerator) -> Element {
        let ticket = Int.random(in: 0..<total, using: &random)
        // The last ceiling is the total and every ticket is below it.
        let index = entries.firstIndex { ticket < $0.ceiling } ?? entries.endIndex - 1
        return entries[index].element
    }
}
