import HTTPPool
import Testing

@Suite("The census of pools")
struct PoolCensusTests {
    /// Other tests of the process make pools meanwhile, so it is the least change that is known.
    @Test("counts pools made and ended by all threads")
    func counts() async {
        func ended(_ counts: (created: UInt64, alive: UInt64)) -> UInt64 { counts.created - counts.alive }
        let before = PoolCensus.counts
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        PoolCensus.poolCreated()
                        PoolCensus.poolEnded()
                    }
                }
            }
            group.addTask {
                // More alive than were ever made is what a subtraction that went below zero looks like.
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

    @Test("counts a pool as alive from its making to its end")
    func alive() {
        PoolCensus.poolCreated()
        #expect(PoolCensus.counts.alive >= 1)
        PoolCensus.poolEnded()
    }
}
