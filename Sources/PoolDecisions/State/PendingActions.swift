/// The actions that the present input has decided so far, and memory for those of the next.
struct PendingActions {
    private var list: [PoolAction] = []
    private var spare: [PoolAction] = []

    mutating func append(_ action: PoolAction) { list.append(action) }

    /// Hands the actions over; the input is done.
    mutating func take() -> PoolActions {
        guard !list.isEmpty else { return PoolActions() }
        swap(&list, &spare)
        var taken: [PoolAction] = []
        swap(&taken, &spare)
        return PoolActions(list: taken)
    }

    mutating func recycle(_ done: consuming PoolActions) {
        // One without memory, of an input that decided nothing, is not worth keeping.
        guard done.list.capacity > spare.capacity else { return }
        // Lists are short, and this is cheaper than to remove all of one.
        while !done.list.isEmpty { done.list.removeLast() }
        swap(&done.list, &spare)
    }
}
