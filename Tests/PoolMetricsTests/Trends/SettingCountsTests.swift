import HTTPPool
import Testing

@testable import PoolMetrics

@Suite("What settings did lately")
struct SettingCountsTests {
    private func counts(_ timeouts: UInt64) -> SettingCounts {
        var row = OriginReading(label: "http://a:80")
        row.acquireFailures[.timeout] = timeouts
        return SettingCounts([row])
    }

    @Test("In the first ten minutes that is all; then what happened before is left out, also after a rest")
    func minutes() {
        var marks = SettingMarks(minute: 100)
        #expect(marks.lately(counts(5), minute: 100) == counts(5))
        marks.begin(101, counts(5))
        marks.begin(104, counts(7))
        #expect(marks.lately(counts(9), minute: 104) == counts(9))
        #expect(marks.lately(counts(9), minute: 110) == counts(9))
        // Minute 100 is over ten minutes ago.
        marks.begin(111, counts(9))
        #expect(marks.lately(counts(9), minute: 111) == counts(4))
        #expect(marks.lately(counts(10), minute: 113) == counts(3))
        // The two of minutes 101 to 103 have gone, then those of minute 104.
        marks.begin(114, counts(10))
        #expect(marks.lately(counts(10), minute: 114) == counts(3))
        marks.begin(115, counts(10))
        #expect(marks.lately(counts(10), minute: 115) == counts(1))
        marks.begin(200, counts(10))
        #expect(marks.lately(counts(10), minute: 200) == counts(0))
        #expect(marks.lately(counts(12), minute: 200) == counts(2))
    }

    @Test("A report has them, and each setting that can end or delay a request is counted by itself")
    func report() throws {
        let rows = AcquireFailure.allCases.map { reason in
            var row = OriginReading(label: reason.rawValue)
            row.acquireFailures[reason] = 1
            return row
        }
        let counts = SettingCounts(rows)
        #expect(counts.acquireTimeouts == 1 && counts.refused == 1)
        var row = OriginReading(label: "http://a:80")
        for (number, limit) in PoolLimit.allCases.enumerated() { row.limitWaits[limit] = UInt64(number + 1) }
        row.leases[.timeout] = 4
        row.connectFailures[.timeout] = 5
        row.connectionsClosed[.idleSurplus] = 6
        row.connectionsClosed[.idleExpired] = 7
        row.connectionsClosed[.maxLifetime] = 8
        let others = SettingCounts([row])
        #expect(PoolLimit.allCases.map(others.waits(for:)) == [1, 2, 3])
        #expect([others.leaseTimeouts, others.connectTimeouts] == [4, 5])
        #expect([others.closedAsSurplus, others.closedAsIdle, others.closedForAge] == [6, 7, 8])
    }
}
