/// A doubly linked list of numbers from a ``Slab``; its links lie in an ``IndexLinks``. Every operation costs the same
/// however long the list is, removal from the middle included.
struct IndexList {
    fileprivate(set) var first: Int?
    fileprivate(set) var last: Int?
    fileprivate(set) var count = 0

    var isEmpty: Bool { count == 0 }
}

/// The links of one or several lists. A number is in at most one of them at a time.
struct IndexLinks {
    private struct Link {
        var previous: Int?
        var next: Int?
    }
    private var links: [Link] = []

    /// The member after `index`, which is in a list.
    func next(after index: Int) -> Int? { links[index].next }

    mutating func append(_ index: Int, to list: inout IndexList) {
        makeRoom(for: index)
        links[index] = Link(previous: list.last, next: nil)
        if let last = list.last { links[last].next = index } else { list.first = index }
        list.last = index
        list.count += 1
    }

    /// Inserts `index` before the first member for which `isBehind` holds; at the end if it holds for none.
    mutating func insert(_ index: Int, into list: inout IndexList, before isBehind: (Int) -> Bool) {
        var place = list.first
        while let member = place, !isBehind(member) { place = links[member].next }
        guard let next = place else {
            append(index, to: &list)
            return
        }
        makeRoom(for: index)
        let previous = links[next].previous
        links[index] = Link(previous: previous, next: next)
        links[next].previous = index
        if let previous { links[previous].next = index } else { list.first = index }
        list.count += 1
    }

    /// Removes a member of `list`.
    mutating func remove(_ index: Int, from list: inout IndexList) {
        let link = links[index]
        if let previous = link.previous { links[previous].next = link.next } else { list.first = link.next }
        if let next = link.next { links[next].previous = link.previous } else { list.last = link.previous }
        list.count -= 1
    }

    private mutating func makeRoom(for index: Int) {
        while links.count <= index { links.append(Link()) }
    }
}
