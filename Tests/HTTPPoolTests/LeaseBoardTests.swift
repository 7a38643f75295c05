import HTTPPool
import Testing

@Suite("The board of leases")
struct LeaseBoardTests {
    private func time(_ nanoseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    @Test("Every place keeps its own entry, however many there are")
    func places() {
        let board = LeaseBoard()
        let phases: [RequestPhase] = [.sending, .waitingForHead, .receiving, .heldByCaller]
        for index in 0..<5000 { board.set(phases[index % 4], at: time(1000 + UInt64(index)), of: index) }
        for index in 0..<5000 {
            let expected = LeaseState(phases[index % 4], moved: time(1000 + UInt64(index)))
            #expect(board.state(of: index, since: time(1000)) == expected)
        }
    }

    @Test("An entry that is older than the lease is that of another request, and a place without an entry has none")
    func stale() {
        let board = LeaseBoard()
        board.set(.receiving, at: time(50), of: 3)
        #expect(board.state(of: 3, since: time(50))?.phase == .receiving)
        #expect(board.state(of: 3, since: time(51)) == nil)
        for index in [-1, 2, 64, 1 << 40, .max] { #expect(board.state(of: index, since: time(1)) == nil) }
    }

    @Test("A reader beside the writer finds each entry whole")
    func concurrent() async {
        let board = LeaseBoard()
        let writer = Task.detached {
            for step in 1...200_000 as ClosedRange<UInt64> {
                board.set(
                    step % 2 == 0 ? .sending : .receiving,
                    at: MonotonicTime(nanoseconds: step),
                    of: Int(step % 300)
                )
            }
        }
        var found = 0
        while found < 1000 {
            guard let state = board.state(of: Int.random(in: 0..<300), since: time(1)) else { continue }
            found += 1
            #expect(state.phase == (state.moved.nanoseconds % 2 == 0 ? .sending : .receiving))
        }
        await writer.value
    }
}
