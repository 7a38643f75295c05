import HTTPPool
import Synchronization

/// Admits one reader of a body at a time.
///
/// Two readers that waited at once would each get a part of the body, and neither could know which. So the second is
/// refused, and the first is not affected. Readers may follow one another.
struct SoleReader: ~Copyable {
    private let isReading = Atomic(false)

    /// Begins a read; ``end()`` must follow.
    ///
    /// - Throws: ``PoolError`` with code `invalidRequest` if another read has not ended.
    borrowing func begin(_ origin: Origin) throws(PoolError) {
        guard isReading.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            throw PoolError(
                .invalidRequest,
                "the response body is already being read",
                origin: origin,
                phase: .exchange
            )
        }
    }

    borrowing func end() { isReading.store(false, ordering: .releasing) }
}
