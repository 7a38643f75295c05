import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

@Suite("Exemplars")
struct ExemplarTests {
    private let registry = PoolRegistry()
    private let fake = FakePool()
    private let first: TraceID
    private let second: TraceID

    init() throws {
        first = try #require(TraceID(traceparent: "00-0af7651916cd43dd8448eb211c80319c-00000000000000a1-01"))
        second = try #require(TraceID(traceparent: "00-11111111111111111111111111111111-00000000000000a2-01"))
    }

    private func page(_ measured: MeasuredPool, as format: ExpositionReader.Format = .openMetrics) throws
        -> ExpositionReader
    {
        let bytes = Exposition.render([measured.reading()], process: nil, as: format == .text ? .text : .openMetrics)
        return try ExpositionReader(bytes, as: format)
    }

    private func event(_ kind: PoolEvent.Kind, at time: UInt64 = 0) -> PoolEvent {
        PoolEvent(kind, .a, at: MonotonicTime(nanoseconds: time))
    }

    /// The exemplars by name and bound.
    private func exemplars(_ page: ExpositionReader) -> [String: ExpositionReader.Exemplar] {
        page.samples.reduce(into: [:]) { found, sample in
            guard let exemplar = sample.exemplar else { return }
            let name = sample.name.dropFirst("http_client_pool_".count).dropLast("_seconds_bucket".count)
            let outcome = sample.labels["outcome"].map { " \($0)" } ?? ""
            found["\(name)\(outcome) \(sample.labels["le"] ?? "")"] = exemplar
        }
    }

    @Test("Each duration of a traced request is an exemplar of the bucket that it fell into")
    func buckets() throws {
        let measured = try MeasuredPool(fake, registry: registry)
        var turn = PoolTurn().introducing(0, "a")
        turn.append(event(.connectionOpened(took: 40_000_000)), of: first)
        turn.append(event(.acquired(.new, waited: 250_000_000, queued: 100_000)), of: first)
        turn.append(event(.responded(waited: 100_001)), of: first)
        turn.append(event(.leaseEnded(.success, held: 400_000_000_000)), of: first)
        turn.append(event(.acquireFailed(.timeout, waited: 5_000_000_000, queued: 5_000_000_000)), of: second)
        turn.append(event(.responded(waited: 30_000_000)), of: nil)
        fake.report(turn)

        let found = try exemplars(page(measured))
        #expect(
            found.mapValues(\.value) == [
                "connect_duration connected 0.05": 0.04, "acquire_duration acquired 0.25": 0.25,
                "queue_wait acquired 0.0001": 0.0001, "time_to_head 0.00025": 0.000100001,
                "lease_duration +Inf": 400, "acquire_duration failed 5.0": 5, "queue_wait failed 5.0": 5,
            ]
        )
        for (name, exemplar) in found {
            let trace = name.contains("failed") ? second : first
            #expect(exemplar.labels == ["trace_id": trace.description])
        }
        let bucket = try #require(measured.reading().durations.timeToHead.cumulative.first { $0.exemplar != nil })
        #expect(bucket.bound == 0.00025)
        #expect(bucket.exemplar?.trace == first)
    }

    @Test("The last exemplar of a bucket is kept, and a request without a trace does not replace it")
    func last() throws {
        let measured = try MeasuredPool(fake, registry: registry)
        var turn = PoolTurn().introducing(0, "a")
        turn.append(event(.responded(waited: 1_100_000)), of: first)
        turn.append(event(.responded(waited: 1_200_000)), of: second)
        turn.append(event(.responded(waited: 1_300_000)), of: nil)
        fake.report(turn)
        #expect(try exemplars(page(measured))["time_to_head 0.0025"]?.value == 0.0012)
        var next = PoolTurn()
        next.append(event(.responded(waited: 2_000_000)), of: first)
        next.append(event(.responded(waited: 700_000)), of: nil)
        fake.report(next)
        let found = try exemplars(page(measured))
        #expect(found.mapValues(\.value) == ["time_to_head 0.0025": 0.002])
        #expect(found.values.map(\.labels) == [["trace_id": first.description]])
    }

    @Test("The time is that of the event on the wall clock, in milliseconds")
    func time() throws {
        var durations = PoolDurations()
        var turn = PoolTurn(now: MonotonicTime(nanoseconds: 5_000_000_000))
        turn.append(event(.responded(waited: 1), at: 3_000_000_000), of: first)
        // Later than the turn, as no pool should report it.
        turn.append(event(.leaseEnded(.success, held: 1), at: 6_000_000_000), of: first)
        turn.traces.append(PoolTurn.EventTrace(event: 7, first))
        durations.addExemplars(of: turn, wall: 1_700_000_000.123456)
        #expect(durations.timeToHead.exemplars.first??.time == 1_699_999_998.123)
        #expect(durations.lease.exemplars.first??.time == 1_700_000_000.123)

        let measured = try MeasuredPool(fake, registry: registry)
        let before = Double.secondsSince1970()
        fake.report(turn.introducing(0, "a"))
        let found = try exemplars(page(measured))
        let time = try #require(found["lease_duration 0.0001"]).time
        #expect(time >= before - 0.001 && time <= Double.secondsSince1970() + 0.001)
    }

    @Test("PyPI's prometheus_client reads them from OpenMetrics, and text has none")
    func python() async throws {
        let measured = try MeasuredPool(fake, registry: registry)
        var turn = PoolTurn().introducing(0, "a")
        for waited: UInt64 in [50, 150_000, 49_999_999, 70_000_000_000] {
            turn.append(event(.acquired(.reused, waited: waited, queued: waited / 3)), of: second)
            turn.append(event(.responded(waited: waited)), of: first)
        }
        fake.report(turn)
        let bytes = Exposition.render([measured.reading()], process: nil, as: .openMetrics)
        let ours = try ExpositionReader(bytes, as: .openMetrics).samples
        let theirs = try await PythonExposition.read(bytes, as: .openMetrics).samples
        #expect(ours.count { $0.exemplar != nil } == 11)
        try #require(ours.count == theirs.count)
        for (our, their) in zip(ours, theirs) {
            #expect(our.name == their.name)
            #expect(our.exemplar?.labels == their.exemplar?.labels)
            #expect(our.exemplar?.value == their.exemplar?.value)
            #expect(our.exemplar?.time == their.exemplar?.time)
        }
        let text = Exposition.render([measured.reading()], process: nil, as: .text)
        #expect(!String(decoding: text, as: UTF8.self).contains("trace_id"))
        #expect(try await PythonExposition.read(text, as: .text).samples.count == theirs.count)
    }

    @Test("The room for an exposition is estimated with its exemplars, so that it is written once")
    func size() throws {
        let measured = try MeasuredPool(fake, registry: registry)
        func spare() -> Int {
            let scrape = Scrape(pools: [measured.reading()], process: nil, poolsCreated: 1, poolsAlive: 1)
            return ExpositionSize.estimate(scrape) - Exposition.render(scrape, as: .openMetrics).count
        }
        let before = spare()
        var turn = PoolTurn().introducing(0, "a")
        for waited in HistogramBounds.waits.upper {
            turn.append(event(.acquired(.reused, waited: waited - 1, queued: waited - 1)), of: first)
        }
        fake.report(turn)
        #expect(try exemplars(page(measured)).count == 36)
        #expect(before > 0 && spare() > 0)
    }

    @Test("An adapter gives the trace with the submission, and the recorder the exemplars, also after a retry")
    func recorder() throws {
        let recorder = PoolRecorder(backend: PoolBackend(library: "test", tls: "none"))
        let measured = try MeasuredPool(recorder, registry: registry)
        let origin = Origin(scheme: "http", host: "a", port: 80)
        let (traced, other) = recorder.record { ledger in
            (ledger.submitted(to: origin, trace: first), ledger.submitted(to: origin))
        }
        recorder.record { ledger in
            let connection = ledger.connectionOpening(to: origin)
            ledger.connectionOpened(connection)
            ledger.acquired(traced, on: connection)
            ledger.acquired(other, .new)
        }
        recorder.record { $0.responseHead(other) }
        #expect(try exemplars(page(measured)).keys.allSatisfy { !$0.contains("time_to_head") })
        recorder.record { ledger in
            ledger.retried(traced)
            ledger.acquired(traced, .new)
            ledger.responseHead(traced)
            ledger.leaseEnded(other, .success)
        }
        let held = try exemplars(page(measured)).filter { $0.key.contains("lease_duration") }
        #expect(held.count == 1)
        recorder.record { $0.leaseEnded(traced, .success) }
        let found = try exemplars(page(measured))
        for name in ["acquire_duration acquired", "queue_wait acquired", "time_to_head", "lease_duration"] {
            #expect(found.keys.contains { $0.hasPrefix(name) }, "\(name)")
        }
        #expect(found.values.allSatisfy { $0.labels == ["trace_id": first.description] })
        #expect(recorder.violations.isEmpty)
    }
}
