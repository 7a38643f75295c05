import HTTPPool
import Testing

@testable import PoolMetrics

private func at(_ seconds: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: 1_000_000_000_000 + UInt64(seconds * 1e9))
}

@Suite("Episodes of saturation")
struct SaturationEpisodeTests {
    private var episodes = SaturationEpisodes()

    private mutating func waits(_ count: Int, _ limit: PoolLimit = .connections) {
        for _ in 0..<count { episodes.waited(behind: limit) }
    }

    @Test(
        "An episode begins and ends exactly with the turns in which the limit kept a request waiting, and counts who waited"
    )
    mutating func exact() {
        waits(3)
        #expect(episodes.set([], at: at(0)).isEmpty)
        waits(2)
        #expect(episodes.set(.connections, at: at(1.25)).map(\.began) == [at(1.25)])
        waits(5)
        #expect(episodes.set(.connections, at: at(2)).isEmpty)
        #expect(episodes.set([], at: at(3.5)).isEmpty)
        #expect(episodes.end(at: at(8.4)).isEmpty)
        let ended = episodes.end(at: at(8.5))
        #expect(ended.map(\.lastHeld) == [at(3.5)])
        #expect(ended.map(\.waited) == [7])
        #expect(episodes.end(at: at(20)).isEmpty)
    }

    @Test("A pool at the edge of its limit, 75 times a second, is in one long episode")
    mutating func flapping() {
        var begun = 0
        for step in 0..<7500 {
            waits(1)
            begun += episodes.set(step.isMultiple(of: 2) ? .connections : [], at: at(Double(step) / 75)).count
            #expect(episodes.end(at: at(Double(step) / 75)).isEmpty)
        }
        #expect(begun == 1)
        #expect(episodes.end(at: at(200)).map(\.waited) == [7500])
    }

    @Test("An episode in which nothing changes lasts until the limit keeps nobody waiting")
    mutating func lasting() {
        _ = episodes.set(.streams, at: at(0))
        #expect(episodes.end(at: at(100)).isEmpty)
        #expect(episodes.open.map(\.lastHeld) == [at(100)])
    }

    @Test("Each limit has episodes of its own")
    mutating func limits() {
        #expect(
            episodes.set([.connections, .connectionsPerOrigin], at: at(0)).map(\.limit) == [
                .connections, .connectionsPerOrigin,
            ]
        )
        #expect(episodes.set(.connections, at: at(1)).isEmpty)
        #expect(episodes.end(at: at(6)).map(\.limit) == [.connectionsPerOrigin])
        #expect(episodes.open.map(\.limit) == [.connections])
    }

    @Test("Only the time in which somebody waited counts as held: two moments two seconds apart are not two seconds")
    mutating func held() {
        _ = episodes.set(.connections, at: at(0))
        _ = episodes.set([], at: at(0.125))
        _ = episodes.end(at: at(1))
        _ = episodes.set(.connections, at: at(2))
        _ = episodes.end(at: at(2.0625))
        #expect(episodes.open.map(\.held) == [187_500_000])
        #expect(episodes.open.map { $0.lastHeld - $0.began } == [2_062_500_000])
        _ = episodes.set([.connections, .streams], at: at(3))
        _ = episodes.end(at: at(4))
        #expect(episodes.open.map(\.held) == [2_125_000_000, 1_000_000_000])
    }

    @Test("A full pool is a condition when requests have waited for a second in all, counted from the first of them")
    func condition() {
        var tally = PoolTally(configuration: PoolConfiguration(), since: 0)
        var trends = PoolTrends(at: at(0))
        func turn(_ time: Double, _ saturation: PoolSaturation) {
            var turn = PoolTurn(now: at(time))
            turn.saturation = saturation
            tally.add(turn, &trends, wall: nil)
            trends.tick(at: at(time), tally.origins.rows, tally.configuration, waitingAges: [:])
        }
        for blip in 0..<4 {
            turn(Double(blip) * 2, .connections)
            turn(Double(blip) * 2 + 0.1875, [])
        }
        #expect(trends.conditions.current.isEmpty)
        turn(8, .connections)
        turn(8.25, .connections)
        #expect(trends.conditions.current.map(\.condition) == [.saturated])
        #expect(trends.conditions.current.map(\.began) == [at(0)])
    }
}
