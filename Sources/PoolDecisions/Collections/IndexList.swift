/// A doubly linked list of numbers from a ``Slab``; its links lie in an ``IndexLinks``. Every operation costs the same
/// however long the list is, removal from the middle included.
struct IndexList {
    fileprivate var firstOrNone = none
    fileprivate var lastOrNone = none
    fileprivate(set) var count = 0

    var first: Int? { firstOrNone == none ? nil : firstOrNone }
    var last: Int? { lastOrNone == none ? nil : lastOrNone }
    var isEmpty: Bool { count == 0 }
}

/// Stands for "no number"; half as large as an optional.
private let none = -1

/// The links of one or several lists. A number is in at most one of them at a time.
struct IndexLinks {
    private struct Link {
        var previous = none
        var next = none
    }
    private var links: [Link] = []

    /// The member after `index`, which is in a list.
    func next(after index: Int) -> Int? { links[index].next == none ? nil : links[index].next }

    mutating func append(_ index: Int, to list: inout IndexList) {
        makeRoom(for: index)
        let last = list.lastOrNone
        links[index] = Link(previous: last, next: none)
        if last != none { links[last].next = index } else { list.firstOrNone = index }
        list.lastOrNone = index
        list.count += 1
    }

    /// Inserts `index` before the first member for which `isBehind` holds; at the end if it holds for none.
    mutating func insert(_ index: Int, into list: inout IndexList, before isBehind: (Int) -> Bool) {
        var next = list.firstOrNone
        while next != none, !isBehind(next) { next = links[next].next }
        guard next != none else {
            append(index, to: &list)
            return
        }
        makeRoom(for: index)
        let previous = links[next].previous
        links[index] = Link(previous: previous, next: next)
        links[next].previous = index
        if previous != none { links[previous].next = index } else { list.firstOrNone = index }
        list.count += 1
    }

    /// Removes a member of `list`.
    mutating func remove(_ index: Int, from list: inout IndexList) {
        let link = links[index]
        if link.previous != none { links[link.previous].next = link.next } else { list.firstOrNone = link.next }
        if link.next != none { links[link.next].previous = link.previous } else { list.lastOrNone = link.previous }
        list.count -= 1
    }

    private mutating func makeRoom(for index: Int) {
        while links.count <= index { links.append(Link()) }
    }
}
