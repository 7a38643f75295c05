/// What one input has decided, to be done in this order.
///
/// Every input that can decide anything returns its actions, and they cannot be copied: whoever forgets them is warned by the
/// compiler, and nobody does them twice. ``PoolStateMachine/recycle(_:)`` takes the memory back when they are done, so that
/// an input costs no allocation.
package struct PoolActions: ~Copyable {
    package internal(set) var list: [PoolAction]

    init(list: [PoolAction]) { self.list = list }

    /// Nothing is to be done.
    package init() { list = [] }

    /// Moves the actions behind others that are still to be done, and leaves the memory.
    package consuming func append(to others: inout [PoolAction]) -> PoolActions {
        others.append(contentsOf: list)
        return self
    }
}

/// What has become of a submission: its number, and what is to be done.
package struct Submission: ~Copyable {
    package let id: RequestID
    let actions: PoolActions

    package consuming func takeActions() -> PoolActions { actions }
}

/// What becomes of a request whose transfer ended, and what is to be done.
package struct EndedTransfer: ~Copyable {
    package let verdict: TransferVerdict
    let actions: PoolActions

    package consuming func takeActions() -> PoolActions { actions }
}
