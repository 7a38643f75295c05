import Foundation
import HTTPPool
import Synchronization
import Testing

@testable import PoolDecisions

/// Random sequences of everything that can happen to a pool; after each step every rule must hold.
///
/// A million steps from a new seed each time. A failure prints the seed of its sequence and the shortest part of it that
/// breaks a rule; `RANDOM_SEED=… swift test --filter RandomSequence` begins with that sequence.
@Suite("Random sequences")
struct RandomSequenceTests {
    private static let base =
        ProcessInfo.processInfo.environment["RANDOM_SEED"].flatMap(UInt64.init) ?? .random(in: 0...(1 << 40))
    private static let hasFailed = Atomic(false)
    private static let groups = 8
    private static let sequences = 50
    private static let steps = 2_500

    @Test("Every rule holds after every step", arguments: 0..<groups)
    func everyRuleHolds(group: Int) {
        for number in 0..<Self.sequences {
            let seed = Self.base + UInt64(group * Self.sequences + number)
            let sequence = RandomSequence(seed: seed, steps: Self.steps)
            guard !Self.hasFailed.load(ordering: .relaxed) else { return }
            guard var shrinker = Shrinker(sequence) else { continue }
            // One is enough to go on with, and the others would take its time.
            guard !Self.hasFailed.exchange(true, ordering: .relaxed) else { return }
            let first = shrinker.failure
            shrinker.shrink()
            Issue.record(
                """
                RANDOM_SEED=\(seed), step \(first.step): \(first.broken)
                \(sequence.limits), HTTP/2: \(sequence.http2), hosts: \(sequence.hosts)
                \(shrinker.smallest.steps.count) steps that end in \(shrinker.failure.broken):
                \(shrinker.smallest.steps.map { "\($0)" }.joined(separator: "\n"))
                """
            )
            return
        }
    }
}
