import HTTPPool
import PoolMetrics
import TestSupport
import Testing

/// Something that a test held up for a known time, and the times around it by the test's own clock, in seconds.
struct Hold {
    /// The longest that anything before the hold can have lasted.
    let before: Double
    /// The hold itself: what was held up lasted at least as long.
    let length: Double
    /// The longest that anything after the hold can have lasted.
    let after: Double
    /// What the numbers of the pool were while it lasted, and at the end.
    let during: ExpositionReader
    let atEnd: ExpositionReader

    /// The longest that what was held up can have lasted.
    var most: Double { before + length + after }

    /// Holds up what `start` began, once it is where it should be, for a fifth of a second.
    init(
        of client: InstrumentedClient,
        sourceLocation: SourceLocation = #_sourceLocation,
        begin start: () async throws -> Task<Void, any Error>,
        until isHeld: (PoolReading, [RequestPhase?]) -> Bool,
        release: () async throws -> Void
    ) async throws {
        let scrapes = CheckedScrapes()
        func scrape() async throws -> ExpositionReader {
            try await scrapes.scrape(sourceLocation: sourceLocation) {
                Exposition.text([client.reading()], process: nil)
            }
        }
        let began = MonotonicTime.now()
        let task = try await start()
        try await eventually(
            "it is held: \(client.measured.requests())",
            within: .seconds(20),
            sourceLocation: sourceLocation
        ) {
            isHeld(client.reading(), client.measured.requests().map(\.phase))
        }
        let held = MonotonicTime.now()
        try await eventually("the hold is over", sourceLocation: sourceLocation) {
            MonotonicTime.now() - held >= 200_000_000
        }
        let lasted = MonotonicTime.now()
        during = try await scrape()
        try await release()
        _ = await task.result
        try await eventually("nothing is left", sourceLocation: sourceLocation) {
            client.reading().levels.requests.total == 0
        }
        let ended = MonotonicTime.now()
        atEnd = try await scrape()
        (before, after) = (Double(held - began) / 1e9, Double(ended - lasted) / 1e9)
        length = Double(lasted - held) / 1e9
    }

    /// Expects that these sums have the hold in them, and no more than was around it.
    func isIn(_ names: String..., labels: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation) {
        for name in names {
            let value = atEnd.sum("http_client_pool_" + name, labels)
            #expect(value >= length - 1e-9, "\(name) \(labels)", sourceLocation: sourceLocation)
            #expect(value <= most + 1e-9, "\(name) \(labels)", sourceLocation: sourceLocation)
        }
    }

    /// Expects that these sums have nothing of the hold in them: not more than what was before and after it.
    func isNotIn(_ names: String..., labels: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation)
    {
        for name in names {
            let value = atEnd.sum("http_client_pool_" + name, labels)
            #expect(value <= before + after + 1e-9, "\(name) \(labels)", sourceLocation: sourceLocation)
        }
    }

    /// Expects that these series already had the hold in them while it lasted.
    func wasIn(_ names: String..., labels: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation) {
        for name in names {
            let value = during.sum("http_client_pool_" + name, labels)
            #expect(value >= length - 1e-9, "\(name) \(labels)", sourceLocation: sourceLocation)
            #expect(value <= most + 1e-9, "\(name) \(labels)", sourceLocation: sourceLocation)
        }
    }
}
