/// Values under small numbers that are used again. Inserting and removing cost the same however many there are.
struct Slab<Element> {
    /// A removed value stays in its place until the number is used again.
    private var elements: [Element] = []
    private var isUsed: [Bool] = []
    private var free: [Int] = []

    /// How many values there are.
    var count: Int { elements.count - free.count }

    /// Every number in use, lowest first.
    var indices: [Int] { elements.indices.filter { isUsed[$0] } }

    /// Stores `element` under a free number.
    mutating func insert(_ element: Element) -> Int {
        if let index = free.popLast() {
            elements[index] = element
            isUsed[index] = true
            return index
        }
        elements.append(element)
        isUsed.append(true)
        return elements.count - 1
    }

    /// Frees the number, which is in use.
    mutating func remove(at index: Int) {
        assert(isUsed[index], "the number is not in use")
        isUsed[index] = false
        free.append(index)
    }

    /// Whether the number is in use.
    func contains(_ index: Int) -> Bool { isUsed.indices.contains(index) && isUsed[index] }

    /// The value under a number that is in use.
    subscript(index: Int) -> Element {
        _read {
            assert(isUsed[index], "the number is not in use")
            yield elements[index]
        }
        _modify {
            assert(isUsed[index], "the number is not in use")
            yield &elements[index]
        }
    }
}
