import HTTPPool
import HeapModule

/// One moment for each of some small numbers, and which of them comes first.
///
/// An alarm that is moved or cancelled leaves its entry in the heap, where it is dropped when its time comes. Outdated
/// entries are cleared away when they are the greater part, which costs each entry a constant.
struct Alarms {
    private struct Entry: Hashable, Comparable {
        let time: MonotonicTime
        let index: Int

        static func < (a: Self, b: Self) -> Bool { a.time < b.time }
    }

    private var heap = Heap<Entry>()
    /// By number; ``MonotonicTime/never`` where no alarm is set.
    private var times: [MonotonicTime] = []
    private var count = 0

    /// Sets the number's alarm, in place of an earlier one.
    mutating func set(_ index: Int, at time: MonotonicTime) {
        while times.count <= index { times.append(.never) }
        guard times[index] != time else { return }
        if times[index] == .never { count += 1 }
        times[index] = time
        heap.insert(Entry(time: time, index: index))
        if heap.count > 2 * count + 64 { heap = Heap(Set(heap.unordered.filter(isSet))) }
    }

    /// Makes sure that the number's alarm goes off at `time` or earlier.
    mutating func set(_ index: Int, noLaterThan time: MonotonicTime) {
        if index < times.count, times[index] <= time { return }
        set(index, at: time)
    }

    mutating func cancel(_ index: Int) {
        guard index < times.count, times[index] != .never else { return }
        times[index] = .never
        count -= 1
    }

    /// When the first alarm goes off; ``MonotonicTime/never`` if none is set.
    mutating func first() -> MonotonicTime {
        while let first = heap.min {
            if isSet(first) { return first.time }
            heap.removeMin()
        }
        return .never
    }

    /// Takes the first alarm that is due, and cancels it.
    mutating func takeDue(at now: MonotonicTime) -> Int? {
        while let first = heap.min, first.time <= now {
            heap.removeMin()
            guard isSet(first) else { continue }
            cancel(first.index)
            return first.index
        }
        return nil
    }

    private func isSet(_ entry: Entry) -> Bool { times[entry.index] == entry.time }
}

extension MonotonicTime {
    /// Later than every moment: where there is no deadline.
    static let never = MonotonicTime(nanoseconds: .max)
}
