import HTTPPool
import Testing

@testable import PoolMetrics

@Suite("Live requests")
struct LiveRequestsTests {
    private func time(_ milliseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    private func key(_ number: UInt64, _ index: Int32) -> RequestKey {
        RequestKey(number: RequestNumber(number), index: index)
    }

    private func event(_ kind: PoolEvent.Kind, _ key: RequestKey, at milliseconds: UInt64) -> PoolEvent {
        PoolEvent(kind, .a, at: time(milliseconds), request: key, connection: ConnectionNumber(7))
    }

    private func numbers(_ live: LiveRequests, _ count: Int = .max) -> [UInt64] {
        live.oldest(count).map(\.key.number.value)
    }

    @Test("A request waits, connects, holds its connection and is gone, each since its own time")
    func life() throws {
        var live = LiveRequests()
        let one = key(1, 0)
        live.add(event(.queued(behind: .connections, waited: 2_000_000), one, at: 10))
        var entry = try #require(live.oldest(1).first)
        #expect((entry.stage, entry.since) == (.queued, time(8)))
        live.add(event(.connecting(waited: 7_000_000), one, at: 15))
        entry = try #require(live.oldest(1).first)
        #expect((entry.stage, entry.since, entry.stage?.phase) == (.connecting, time(8), .connecting))
        live.add(event(.acquired(.new, waited: 12_000_000, queued: 7_000_000), one, at: 20))
        entry = try #require(live.oldest(1).first)
        #expect((entry.stage, entry.since, entry.connection) == (.held, time(20), ConnectionNumber(7)))
        #expect(live.oldestLease == time(20))
        live.add(event(.leaseEnded(.success, held: 1), one, at: 21))
        #expect(live.oldest(9).isEmpty && live.oldestLease == nil)
    }

    @Test("Leases come first, oldest first; places are used again")
    func order() {
        var live = LiveRequests()
        for number in 1...5 as ClosedRange<UInt64> {
            live.add(event(.queued(behind: .connections, waited: 0), key(number, Int32(number)), at: number))
        }
        live.add(event(.acquired(.reused, waited: 1, queued: 1), key(4, 4), at: 10))
        live.add(event(.acquired(.reused, waited: 1, queued: 1), key(2, 2), at: 11))
        #expect(numbers(live) == [4, 2, 1, 3, 5])
        #expect(numbers(live, 1) == [4, 1])
        live.add(event(.acquireFailed(.timeout, waited: 1, queued: 1), key(3, 3), at: 12))
        live.add(event(.leaseEnded(.success, held: 1), key(4, 4), at: 13))
        live.add(event(.acquired(.reused, waited: 1, queued: 1), key(6, 4), at: 14))
        #expect(numbers(live) == [2, 6, 1, 5])
        #expect(live.leases(until: time(13)).map(\.key.number.value) == [2])
    }

    @Test("A retry begins to wait again")
    func retry() throws {
        var live = LiveRequests()
        live.add(event(.acquired(.reused, waited: 1, queued: 1), key(1, 0), at: 10))
        live.add(event(.leaseEnded(.retried, held: 1), key(1, 0), at: 11))
        live.add(event(.staleRetry, key(1, 0), at: 11))
        live.add(event(.connecting(waited: 0), key(1, 0), at: 11))
        let entry = try #require(live.oldest(1).first)
        #expect((entry.stage, entry.since) == (.connecting, time(11)))
        #expect(live.oldestLease == nil)
    }

    @Test("Whatever happens in whatever order, the lists agree with a model")
    func random() {
        var random = SystemRandomNumberGenerator()
        var live = LiveRequests()
        var waiting: [UInt64] = []
        var held: [UInt64] = []
        var places: [UInt64: Int32] = [:]
        var number: UInt64 = 0
        for step in 1...20_000 as ClosedRange<UInt64> {
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where places.count < 40:
                number += 1
                let place = (0..<40).first { !places.values.contains($0) } ?? 0
                places[number] = place
                waiting.append(number)
                live.add(event(.queued(behind: nil, waited: 0), key(number, place), at: step))
            case 1:
                guard let index = waiting.indices.randomElement(using: &random) else { continue }
                let moved = waiting.remove(at: index)
                held.append(moved)
                live.add(event(.acquired(.new, waited: 0, queued: 0), key(moved, places[moved] ?? 0), at: step))
            case 2:
                guard let index = held.indices.randomElement(using: &random) else { continue }
                let ended = held.remove(at: index)
                live.add(event(.leaseEnded(.success, held: 0), key(ended, places[ended] ?? 0), at: step))
                places[ended] = nil
            default:
                guard let index = waiting.indices.randomElement(using: &random) else { continue }
                let ended = waiting.remove(at: index)
                let failed = PoolEvent.Kind.acquireFailed(.cancelled, waited: 0, queued: 0)
                live.add(event(failed, key(ended, places[ended] ?? 0), at: step))
                places[ended] = nil
            }
            if numbers(live) != held + waiting {
                Issue.record("after step \(step): \(numbers(live)) instead of \(held + waiting)")
                return
            }
        }
    }
}
