import HTTPPool
import Synchronization

@testable import PoolMetrics

/// A pool that does what a script says, at the times that it says, with a meter on the same clock.
final class ScriptedPool: ObservablePool {
    private final class Clock: Sendable {
        private let time = Mutex(MonotonicTime(nanoseconds: 1_000_000_000_000))
        var now: MonotonicTime { time.withLock { $0 } }
        func pass(_ duration: Duration) { time.withLock { $0 = $0 + UInt64(duration / .nanoseconds(1)) } }
    }

    /// Passes on the turns of the recorder, with what a recorder does not know.
    private final class Driver: PoolObserver {
        let meter: PoolMeter
        init(_ meter: PoolMeter) { self.meter = meter }
        func poolDidTurn(_ turn: borrowing PoolTurn) {
            var turn = copy turn
            turn.resolving = 2
            meter.poolDidTurn(turn)
        }
    }

    let recorder: PoolRecorder
    let meter: PoolMeter
    private let clock = Clock()

    init(_ configuration: PoolConfiguration) throws {
        let backend = PoolBackend(library: "client/1.2.3", tls: "OpenSSL/3.0.17")
        recorder = PoolRecorder(configuration: configuration, backend: backend, clock: { [clock] in clock.now })
        meter = PoolMeter(configuration: configuration, clock: { [clock] in clock.now })
        try recorder.attach(Driver(meter))
    }

    func pass(_ duration: Duration) { clock.pass(duration) }

    func reading(_ name: String = "scripted") -> PoolReading { PoolReading(name: name, pool: self, meter.read(self)) }

    /// One scrape of this pool, of a process that has this one alone.
    func scrape(process: ProcessReading? = nil) -> Scrape {
        Scrape(pools: [reading()], process: process, poolsCreated: 3, poolsAlive: 1)
    }

    // MARK: - The pool

    var configuration: PoolConfiguration { recorder.configuration }
    var backend: PoolBackend { recorder.backend }
    /// For an eighth of a second in its turn.
    var activity: ThreadActivity { .working(since: MonotonicTime(nanoseconds: clock.now.nanoseconds - 125_000_000)) }
    func attach(_ observer: any PoolObserver) throws { try recorder.attach(observer) }
    func pendingSubmissions() -> [PendingSubmission] { [] }
    func state(of request: RequestKey, since: MonotonicTime) -> LeaseState? {
        recorder.state(of: request, since: since)
    }
    func shutdown(_ policy: ShutdownPolicy) async { await recorder.shutdown(policy) }
}

extension ScriptedPool {
    static let api = Origin(scheme: "https", host: "api.test", port: 443)
    static let down = Origin(scheme: "http", host: "down.test", port: 8080)

    /// A pool that has had a minute and a half of everything, and is busy: two leases, one of them old, one request that
    /// connects, one that is queued, and an idle connection.
    static func busy() throws -> ScriptedPool {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 4
        configuration.limits.maxConnectionsPerOrigin = 3
        configuration.limits.maxIdleConnections = 2
        configuration.limits.maxQueuedRequests = 10
        configuration.transport.http2 = .negotiated
        let pool = try ScriptedPool(configuration)
        let recorder = pool.recorder
        // The old one: acquired and not read for longer than a minute.
        let first = recorder.record { $0.submitted(to: api, site: "catalog") }
        let connection = recorder.record { ledger in
            ledger.placed(first)
            return ledger.connectionOpening(to: api)
        }
        pool.pass(.milliseconds(12))
        recorder.record { ledger in
            ledger.connectionOpened(connection)
            ledger.acquired(first, on: connection)
            ledger.requestSent(first)
        }
        pool.pass(.milliseconds(150))
        recorder.record { ledger in
            ledger.responseHead(first)
            ledger.waitingFor(.caller, first)
        }
        // Requests of every outcome, one after the other on two connections, and 500 ms apart.
        var other = recorder.record { $0.connectionOpening(to: api) }
        pool.pass(.milliseconds(4))
        recorder.record { $0.connectionOpened(other) }
        for (index, outcome) in LeaseOutcome.allCases.enumerated() where outcome != .retried {
            let request = recorder.record { ledger in
                let request = ledger.submitted(to: api, site: index.isMultiple(of: 2) ? "catalog" : "token exchange")
                ledger.queued(request, behind: PoolLimit.allCases[index % PoolLimit.allCases.count])
                return request
            }
            pool.pass(.milliseconds(5 * index))
            recorder.record { $0.acquired(request, on: other) }
            pool.pass(.milliseconds(30))
            recorder.record { ledger in
                ledger.requestSent(request)
                ledger.responseHead(request)
                ledger.leaseEnded(request, outcome)
            }
            pool.pass(.milliseconds(500))
        }
        for reason in CloseReason.allCases {
            recorder.record { $0.connectionClosed(other, reason) }
            pool.pass(.milliseconds(100))
            other = recorder.record { $0.connectionOpening(to: api) }
            pool.pass(.milliseconds(3))
            recorder.record { $0.connectionOpened(other) }
        }
        // A peer that is down, in every way, and acquisitions that fail in every way.
        for reason in ConnectFailure.allCases {
            let failing = recorder.record { $0.connectionOpening(to: down) }
            pool.pass(.milliseconds(20))
            recorder.record { $0.connectionFailed(failing, reason) }
        }
        for reason in AcquireFailure.allCases {
            let request = recorder.record { $0.submitted(to: down) }
            pool.pass(.milliseconds(40))
            recorder.record { $0.acquireFailed(request, reason) }
        }
        // A request that is sent again, and shares the connection of the old one.
        let retried = recorder.record { $0.submitted(to: api, site: "catalog") }
        recorder.record { ledger in
            ledger.acquired(retried, on: other)
            ledger.connectionClosed(other, .peerClosed)
            ledger.retried(retried)
        }
        pool.pass(.milliseconds(1))
        recorder.record { $0.acquired(retried, on: connection) }
        pool.pass(.seconds(82))
        recorder.record { $0.waitingFor(.peer, retried) }
        // Who waits at the end, and a connection that nobody has.
        recorder.record { ledger in
            ledger.connectionOpened(ledger.connectionOpening(to: api))
            ledger.placed(ledger.submitted(to: down))
            _ = ledger.connectionOpening(to: down)
            ledger.queued(ledger.submitted(to: api, site: "token exchange"), behind: .connectionsPerOrigin)
        }
        pool.pass(.milliseconds(250))
        return pool
    }
}
