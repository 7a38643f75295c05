/// Lists of small numbers, one for each number of another kind: the requests of each origin, the requests on each slot.
/// A member is in at most one of the lists.
struct IndexLists {
    private var lists: [IndexList] = []
    private var links = IndexLinks()

    func first(of list: Int) -> Int? { list < lists.count ? lists[list].first : nil }
    func last(of list: Int) -> Int? { list < lists.count ? lists[list].last : nil }
    func count(of list: Int) -> Int { list < lists.count ? lists[list].count : 0 }
    func isEmpty(_ list: Int) -> Bool { count(of: list) == 0 }

    /// The member after `member` in the list that it is in.
    func next(after member: Int) -> Int? { links.next(after: member) }

    mutating func append(_ member: Int, to list: Int) {
        makeRoom(for: list)
        links.append(member, to: &lists[list])
    }

    /// Inserts `member` before the first one for which `isBehind` holds; at the end if it holds for none.
    mutating func insert(_ member: Int, into list: Int, before isBehind: (Int) -> Bool) {
        makeRoom(for: list)
        links.insert(member, into: &lists[list], before: isBehind)
    }

    mutating func remove(_ member: Int, from list: Int) { links.remove(member, from: &lists[list]) }

    private mutating func makeRoom(for list: Int) {
        while lists.count <= list { lists.append(IndexList()) }
    }
}
