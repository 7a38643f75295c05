@testable import PoolDecisions

/// Replays a sequence, and finds a short part of it that breaks a rule.
struct Shrinker {
    /// What went wrong, and after how many steps.
    struct Failure {
        let step: Int
        let broken: [String]
    }

    /// How often everything is counted anew: the counting costs more than the step.
    private static let recount = 16

    static func run(_ sequence: RandomSequence, thorough: Bool = false) -> Failure? {
        var pool = ModelledPool(sequence)
        for (index, step) in sequence.steps.enumerated() {
            CrashNote.note(seed: sequence.seed, step: index)
            pool.take(step)
            if thorough || index % recount == 0 { pool.checkEverything() } else { pool.checkLevels() }
            if !pool.violations.isEmpty { return Failure(step: index, broken: pool.violations) }
        }
        if !pool.isShutDown { return nil }
        pool.end()
        return pool.violations.isEmpty ? nil : Failure(step: sequence.steps.count, broken: pool.violations)
    }

    private(set) var smallest: RandomSequence
    private(set) var failure: Failure
    private let isThorough: Bool
    private let deadline = ContinuousClock.now + .seconds(15)

    /// - Returns: `nil` if the sequence breaks no rule.
    init?(_ sequence: RandomSequence) {
        guard let failure = Self.run(sequence) else { return nil }
        smallest = sequence
        smallest.steps = Array(sequence.steps.prefix(failure.step + 1))
        self.failure = failure
        isThorough = failure.step % Self.recount == 0
    }

    /// Leaves out whatever can be left out: all steps of a kind, then halves, smaller parts, at last single steps.
    mutating func shrink() {
        for kind in Set(smallest.steps.map(\.kind)).sorted() { keep(smallest.steps.filter { $0.kind != kind }) }
        var part = max(1, smallest.steps.count / 2)
        while ContinuousClock.now < deadline {
            var end = smallest.steps.count
            var isShorter = false
            while end > 0 {
                let start = max(0, end - part)
                var steps = smallest.steps
                steps.removeSubrange(start..<min(end, steps.count))
                if keep(steps) { isShorter = true }
                end = min(start, smallest.steps.count)
            }
            if part == 1, !isShorter { return }
            part = max(1, part / 2)
        }
    }

    /// Goes on with these steps if they break a rule too.
    @discardableResult
    private mutating func keep(_ steps: [RandomStep]) -> Bool {
        guard ContinuousClock.now < deadline else { return false }
        var candidate = smallest
        candidate.steps = steps
        guard let failure = Self.run(candidate, thorough: isThorough) else { return false }
        smallest.steps = Array(steps.prefix(failure.step + 1))
        self.failure = failure
        return true
    }
}

extension RandomStep {
    /// What steps have in common that may be of no account together.
    fileprivate var kind: String {
        if case .submit(_, let host, _, _, _, _) = self { return "submit \(host)" }
        return String("\(self)".prefix { $0 != "(" })
    }
}
