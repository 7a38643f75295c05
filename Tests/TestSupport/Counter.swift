import Synchronization

/// A counter that several threads can hold.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    package var value: Int { count.load(ordering: .relaxed) }
    package func add(_ more: Int) { count.add(more, ordering: .relaxed) }
}
