import HTTPPool
import Testing

@Suite("The census of pools")
struct PoolCensusTests {
    /// Other tests of the process create pools meanwhile, so it is the least change that is known.
    @Test("counts clients created and ended by all threads")
    func counts() async {
        func ended(_ counts: (created: UInt64, alive: UInt64)) -> UInt64 { counts.created - counts.alive }
        let before = PoolCensus.counts
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1000 { PoolCensus.join().end() } }
            }
            group.addTask {
                // More alive than were ever created is what a subtraction that went below zero looks like.
                for _ in 0..<1000 {
                    let counts = PoolCensus.counts
                    #expect(counts.alive <= counts.created)
                }
            }
        }
        let after = PoolCensus.counts
        #expect(after.created >= before.created + 8000)
        #expect(ended(after) >= ended(before) + 8000)
    }

    @Test("counts a client as alive until its membership ends, once, or is released")
    func alive() {
        let kept = (0..<100).map { _ in PoolCensus.join() }
        #expect(PoolCensus.counts.alive >= 100)
        let before = PoolCensus.counts
        for membership in kept {
            for _ in 0..<50 { membership.end() }
        }
        var released: PoolCensus.Membership? = PoolCensus.join()
        #expect(released != nil)
        released = nil
        // 5000 ends of 100 clients would have brought it below zero, which traps, or far below what others have.
        let after = PoolCensus.counts
        #expect(after.created - after.alive >= before.created - before.alive + 101)
        #expect(after.alive <= after.created)
    }
}
