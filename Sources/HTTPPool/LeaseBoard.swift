private import Synchronization

/// What each lease of a pool is doing: written by the pool's thread as it happens, read from any thread at any time.
///
/// An entry belongs to a place among the pool's requests (``RequestKey/index``), and is one atomic word, so writing one
/// costs the pool a store. A reader may find that of the next request in the same place; ``state(of:since:)`` tells the
/// two apart by time where it can.
///
/// Sound as `Sendable`: entries are atomic. The chunks that hold them are created by one thread, the only writer,
/// published by a releasing store, and never replaced until the board is released.
package final class LeaseBoard: @unchecked Sendable {
    private typealias Entry = Atomic<UInt64>
    private typealias Chunk = Atomic<UnsafeMutablePointer<Entry>?>

    /// Chunk `k` has `firstCount << k` entries, so entries never move.
    private static let firstCount = 64
    private static let chunkCount = 26
    private let chunks: UnsafeMutablePointer<Chunk>

    /// Creates a board without entries.
    package init() {
        chunks = .allocate(capacity: Self.chunkCount)
        for index in 0..<Self.chunkCount { (chunks + index).initialize(to: Chunk(nil)) }
    }

    deinit {
        for index in 0..<Self.chunkCount {
            if let chunk = chunks[index].load(ordering: .relaxed) {
                chunk.deinitialize(count: Self.firstCount << index)
                chunk.deallocate()
            }
        }
        chunks.deinitialize(count: Self.chunkCount)
        chunks.deallocate()
    }

    /// Notes what the lease in a place is doing. Must be called from one thread at a time.
    package func set(_ phase: RequestPhase, at time: MonotonicTime, of index: Int) {
        let (chunk, offset) = Self.position(of: index)
        guard chunk < Self.chunkCount else { return }
        let entries = chunks[chunk].load(ordering: .relaxed) ?? add(chunk)
        (entries + offset).pointee.store(time.nanoseconds << 2 | UInt64(phase.code), ordering: .relaxed)
    }

    /// What the lease in a place is doing.
    ///
    /// - Parameter since: when it was acquired. An older entry is that of an earlier request.
    package func state(of index: Int, since: MonotonicTime) -> LeaseState? {
        guard index >= 0 else { return nil }
        let (chunk, offset) = Self.position(of: index)
        guard chunk < Self.chunkCount, let entries = chunks[chunk].load(ordering: .acquiring) else { return nil }
        let word = (entries + offset).pointee.load(ordering: .relaxed)
        let moved = MonotonicTime(nanoseconds: word >> 2)
        return moved < since ? nil : LeaseState(RequestPhase(code: UInt8(word & 3)), moved: moved)
    }

    private func add(_ index: Int) -> UnsafeMutablePointer<Entry> {
        let count = Self.firstCount << index
        let chunk = UnsafeMutablePointer<Entry>.allocate(capacity: count)
        for offset in 0..<count { (chunk + offset).initialize(to: Entry(0)) }
        chunks[index].store(chunk, ordering: .releasing)
        return chunk
    }

    private static func position(of index: Int) -> (chunk: Int, offset: Int) {
        let scaled = index / firstCount + 1
        let chunk = Int.bitWidth - 1 - scaled.leadingZeroBitCount
        return (chunk, index - firstCount * ((1 << chunk) - 1))
    }
}

extension RequestPhase {
    fileprivate init(code: UInt8) {
        self =
            switch code {
            case 0: .sending
            case 1: .waitingForHead
            case 2: .receiving
            default: .heldByCaller
            }
    }

    /// Two bits; requests without a connection have no entry.
    fileprivate var code: UInt8 {
        switch self {
        case .sending: 0
        case .waitingForHead: 1
        case .receiving: 2
        case .heldByCaller, .queued, .connecting: 3
        }
    }
}
