import HTTPPool
import PoolTesting
import TestSupport
import Testing

@testable import PoolMetrics

extension FakePool {
    /// A pool of ten connections, of which five may be idle.
    fileprivate static func small() -> FakePool {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 10
        configuration.limits.maxIdleConnections = 5
        return FakePool(configuration: configuration)
    }

    /// Reports a turn of one origin, which may contradict all that was reported before.
    fileprivate func report(_ events: [PoolEvent] = [], _ levels: OriginLevels? = nil, site: RequestLevels? = nil) {
        var turn = PoolTurn(now: .now())
        turn.newOrigins = [PoolTurn.NewOrigin(OriginID(index: 0), Origin(scheme: "http", host: "a", port: 80))]
        turn.events = events
        if let levels { turn.origins = [PoolTurn.ChangedOrigin(OriginID(index: 0), levels)] }
        if let site { turn.sites = [PoolTurn.ChangedSite(.unattributed, site)] }
        report(turn)
    }
}

@Suite("The checker of readings")
struct ReadingCheckerTests {
    private func levels(_ change: (inout OriginLevels) -> Void) -> OriginLevels {
        var levels = OriginLevels()
        change(&levels)
        return levels
    }

    private func faults(of events: [PoolEvent], _ levels: OriginLevels? = nil, site: RequestLevels? = nil) throws
        -> Set<ReadingChecker.Rule>
    {
        let pool = FakePool.small()
        let measured = try MeasuredPool(pool, registry: PoolRegistry())
        pool.report(events, levels, site: site)
        var checker = ReadingChecker()
        return Set(checker.check(measured.reading()).map(\.rule))
    }

    private let id = OriginID(index: 0)

    @Test("Whatever a recorder is given, its readings have no fault")
    func recorder() async throws {
        let recorder = PoolRecorder(backend: PoolBackend(library: "x/1", tls: "none"))
        let measured = try MeasuredPool(recorder, registry: PoolRegistry())
        var checker = ReadingChecker()
        var random = SystemRandomNumberGenerator()
        let origins = (0..<3).map { Origin(scheme: "http", host: "h\($0)", port: 80) }
        var requests: [RequestNumber] = []
        var connections: [ConnectionNumber] = []
        for _ in 0..<20_000 {
            let origin = origins[Int.random(in: 0..<3, using: &random)]
            recorder.record { ledger in
                // Any report about anything, most of them contradictions: none of these may change a number.
                let request = requests.randomElement(using: &random) ?? RequestNumber(0)
                let connection = connections.randomElement(using: &random) ?? ConnectionNumber(0)
                switch Int.random(in: 0..<12, using: &random) {
                case 0, 1: requests.append(ledger.submitted(to: origin, site: CallSite("s\(requests.count % 2)")))
                case 2: connections.append(ledger.connectionOpening(to: origin))
                case 3: ledger.queued(request, behind: .connections)
                case 4: ledger.placed(request)
                case 5, 6: ledger.acquired(request, on: connection)
                case 7: ledger.acquireFailed(request, .timeout)
                case 8: ledger.leaseEnded(request, .success)
                case 9: ledger.retried(request)
                case 10: ledger.connectionOpened(connection)
                default:
                    ledger.connectionClosed(connection, .peerClosed)
                    ledger.connectionFailed(connection, .refused)
                }
            }
            if requests.count > 50 { requests.removeFirst() }
            if connections.count > 8 {
                let old = connections.removeFirst()
                recorder.record {
                    $0.connectionClosed(old, .evicted)
                    $0.connectionFailed(old, .cancelled)
                }
            }
            let faults = checker.check(measured.reading()).filter {
                $0.rule != .idleLimit && $0.rule != .connectionLimit
            }
            try #require(faults == [], "\(faults)")
        }
        #expect(!recorder.violations.isEmpty)
        await measured.shutdown(.immediate)
        #expect(checker.checkEnd(measured.reading()).allSatisfy { $0.rule == .idleLimit })
    }

    @Test("A report that contradicts another is named with the request and the connection that it was about")
    func contradictions() {
        let recorder = PoolRecorder(backend: PoolBackend(library: "x/1", tls: "none"))
        let origin = Origin(scheme: "http", host: "a", port: 80)
        recorder.record { ledger in
            ledger.acquireFailed(ledger.submitted(to: origin), .timeout)
            let request = ledger.submitted(to: origin)
            let connection = ledger.connectionOpening(to: origin)
            ledger.acquired(request, on: connection)
            ledger.connectionClosed(connection, .error)
            ledger.responseHead(request)
            ledger.leaseEnded(request, .retried)
            ledger.queued(RequestNumber(1), behind: .connections)
        }
        #expect(
            recorder.violations.map(\.description) == [
                "acquired(_:on:) of request 2 and connection 1: the connection is not open",
                "connectionClosed(_:_:) of connection 1: the connection is not open",
                "responseHead(_:) of request 2: the request holds no connection",
                "leaseEnded(_:_:) of request 2: a request that is sent again is reported by retried(_:)",
                "queued(_:behind:) of request 1: the request is not waiting for a connection",
            ]
        )
        #expect(recorder.violations.map(\.request?.value) == [2, nil, 2, 2, 1])
        #expect(recorder.violations.map(\.connection?.value) == [1, 1, nil, nil, nil])
    }

    @Test("Every request of a recorder is visible while it is not finished, retries included")
    func visible() throws {
        let recorder = PoolRecorder(backend: PoolBackend(library: "x/1", tls: "none"))
        let measured = try MeasuredPool(recorder, registry: PoolRegistry())
        let origin = Origin(scheme: "http", host: "a", port: 80)
        let request = recorder.record { $0.submitted(to: origin) }
        #expect(measured.requests().map(\.phase) == [.queued])
        recorder.record { ledger in
            let connection = ledger.connectionOpening(to: origin)
            ledger.connectionOpened(connection)
            ledger.acquired(request, on: connection)
        }
        #expect(measured.requests().map(\.phase) == [.sending])
        recorder.record { $0.retried(request) }
        #expect(measured.requests().map(\.phase) == [.queued])
        recorder.record { $0.acquireFailed(request, .timeout) }
        #expect(measured.requests().isEmpty)
        #expect(recorder.violations == [])
    }

    @Test("A connection that is counted without having been opened")
    func unopened() throws {
        #expect(try faults(of: [], levels { $0.connections.idle = 1 }) == [.openConnections])
        #expect(try faults(of: [.connectionOpened(id, took: 1)]) == [.openConnections])
    }

    @Test("A lease that ends twice, or is never counted")
    func leases() throws {
        let acquired = PoolEvent.acquired(id, .new, waited: 1, queued: 1)
        #expect(try faults(of: [acquired]) == [.leases])
        let ended = PoolEvent.leaseEnded(id, held: 1)
        #expect(try faults(of: [acquired, ended, ended]) == [.leases])
    }

    @Test("More connections than the limits allow, in use and idle")
    func limits() throws {
        let opened = (0..<11).map { _ in PoolEvent.connectionOpened(id, took: 1) }
        #expect(try faults(of: opened, levels { $0.connections.idle = 11 }) == [.connectionLimit, .idleLimit])
        #expect(try faults(of: Array(opened.prefix(6)), levels { $0.connections.idle = 6 }) == [.idleLimit])
    }

    @Test("An active connection without a request, and a level below 0")
    func active() throws {
        let opened = PoolEvent.connectionOpened(id, took: 1)
        #expect(try faults(of: [opened], levels { $0.connections.active = 1 }) == [.activeConnections])
        let wrong = try faults(
            of: [opened],
            levels {
                $0.connections = .init(); $0.connections.idle = 2; $0.connections.active = -1
            }
        )
        #expect(wrong == [.negative])
    }

    @Test("Requests that are counted for an origin and not for a call site")
    func sites() throws {
        #expect(try faults(of: [], levels { $0.requests.queued = 1 }) == [.sites])
        var queued = RequestLevels()
        queued.queued = 1
        #expect(try faults(of: [], levels { $0.requests.queued = 1 }, site: queued) == [])
    }

    @Test("A histogram that counts what its counter does not")
    func histograms() throws {
        let measured = try MeasuredPool(FakePool.small(), registry: PoolRegistry())
        func rules(_ change: (inout PoolDurations) -> Void) -> [ReadingChecker.Rule] {
            var reading = measured.reading()
            change(&reading.durations)
            var checker = ReadingChecker()
            return checker.check(reading).map(\.rule)
        }
        #expect(rules { $0.acquired.observe(1) } == [.acquired])
        #expect(rules { $0.acquireFailed.observe(1) } == [.acquireFailed])
        #expect(rules { $0.lease.observe(1) } == [.leaseDurations])
        #expect(rules { $0.queuedAcquired.observe(1) } == [.queueWait])
        #expect(rules { $0.queuedFailed.observe(1) } == [.queueWait])
        #expect(rules { $0.timeToHead.observe(1) } == [.responses])
        #expect(rules { $0.connectionLifetime.observe(1) } == [.lifetimes])
    }

    /// The rules that a reading breaks when something in it is changed.
    private func rules(after change: (inout PoolReading) -> Void) throws -> Set<ReadingChecker.Rule> {
        let pool = FakePool.small()
        let measured = try MeasuredPool(pool, registry: PoolRegistry())
        pool.report([.connectionOpened(id, took: 1)], levels { $0.connections.idle = 1 })
        var reading = measured.reading()
        var checker = ReadingChecker()
        #expect(checker.check(reading) == [])
        change(&reading)
        return Set(checker.check(reading).map(\.rule))
    }

    @Test("Peaks below the level, saturation without a queue, and more overdue leases than leases")
    func levelsThatContradict() throws {
        #expect(try rules { $0.peaks = PoolPeaks() } == [.peaks])
        #expect(try rules { $0.saturation = .connections } == [.saturation])
        #expect(try rules { $0.overdueLeases?.caller = 1 } == [.overdue])
    }

    @Test("Acquisitions, failures and times that call sites have and origins have not")
    func sitesThatContradict() throws {
        var reading = SiteReading(label: "site")
        #expect(try rules { $0.sites = [reading] } == [])
        reading.acquires = 1
        #expect(try rules { $0.sites = [reading] } == [.sites])
        reading = SiteReading(label: "site")
        reading.acquireFailures = 1
        #expect(try rules { $0.sites = [reading] } == [.sites])
        reading = SiteReading(label: "site")
        var one = RequestLevels()
        one.inFlight = 1
        reading.times.begin(at: MonotonicTime(nanoseconds: 1))
        reading.times.advance(one, to: MonotonicTime(nanoseconds: 2))
        #expect(try rules { $0.sites = [reading] } == [.sites], "one nanosecond")
    }

    @Test("An integral that grows faster than its peak allows")
    func growth() throws {
        #expect(
            try rules {
                var idle = OriginLevels()
                idle.connections.idle = 1000
                $0.history.set(idle, [], at: $0.now)
                $0.history.advance(to: $0.now + 1_000_000_000)
            } == [.integrals]
        )
        #expect(
            try rules {
                $0.history.set($0.history.levels, [.connections], at: $0.now)
                $0.history.advance(to: $0.now + 1_000_000_000)
            } == [.integrals]
        )
    }

    @Test("A level that is left after the shutdown")
    func end() throws {
        let pool = FakePool.small()
        let measured = try MeasuredPool(pool, registry: PoolRegistry())
        pool.report([.connectionOpened(id, took: 1)], levels { $0.connections.idle = 1 })
        var checker = ReadingChecker()
        #expect(checker.check(measured.reading()) == [])
        #expect(checker.checkEnd(measured.reading()).map(\.rule) == [.end])
    }

    @Test("A counter that falls: the readings are of two pools")
    func falling() throws {
        let (first, second) = (FakePool.small(), FakePool.small())
        let registry = PoolRegistry()
        let busy = try MeasuredPool(first, name: "busy", registry: registry)
        let quiet = try MeasuredPool(second, name: "quiet", registry: registry)
        first.report([.staleRetry(id)])
        second.report()
        var checker = ReadingChecker()
        #expect(checker.check(busy.reading()) == [])
        #expect(Set(checker.check(quiet.reading()).map(\.rule)) == [.falling])
    }

    @Test("Connections of a pool that does not report them are not checked, nor shown")
    func facts() throws {
        let recorder = PoolRecorder(backend: PoolBackend(library: "x/1", tls: "none"), facts: [])
        let measured = try MeasuredPool(recorder, registry: PoolRegistry())
        let origin = Origin(scheme: "http", host: "a", port: 80)
        let request = recorder.record { $0.submitted(to: origin) }
        recorder.record { $0.acquired(request, .reused) }
        var checker = ReadingChecker()
        #expect(checker.check(measured.reading()) == [])
        let text = String(decoding: Exposition.text([measured.reading()], process: nil), as: UTF8.self)
        for family in [
            "connections", "connections_opened_total", "connections_closed_total", "queue_wait_seconds",
            "limit_waits_total", "stale_retries_total", "resolving", "driver_stall_seconds",
            "connect_duration_seconds",
        ] {
            #expect(
                !text.contains("http_client_pool_\(family){") && !text.contains("http_client_pool_\(family)_bucket")
            )
        }
        #expect(text.contains("http_client_pool_acquires_total{"))
        #expect(measured.reading().resolving == nil && measured.reading().driverStallSeconds == nil)
    }
}
