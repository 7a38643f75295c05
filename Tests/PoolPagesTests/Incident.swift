import HTTPPool
import PoolMetrics
import Synchronization

@testable import PoolPages

/// A pool whose story a test tells: a recorder with a clock that the test sets.
final class Incident {
    private final class Clock: Sendable {
        private let nanoseconds = Mutex<UInt64>(1_000_000_000_000)
        var now: MonotonicTime { MonotonicTime(nanoseconds: nanoseconds.withLock { $0 }) }
        func advance(_ seconds: Double) { nanoseconds.withLock { $0 += UInt64(seconds * 1e9) } }
    }

    private let clock = Clock()
    let recorder: PoolRecorder
    let measured: MeasuredPool
    private var idle: [String: [ConnectionNumber]] = [:]
    private var held: [RequestNumber: (host: String, connection: ConnectionNumber)] = [:]

    init(
        _ name: String = "shared",
        facts: PoolFacts = .all,
        _ change: (inout PoolConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 50
        configuration.timeouts.acquire = .seconds(5)
        change(&configuration)
        let clock = clock
        recorder = PoolRecorder(
            configuration: configuration,
            backend: PoolBackend(library: "client/1.0", tls: "none"),
            facts: facts,
            clock: { clock.now }
        )
        measured = try MeasuredPool(recorder, name: name, registry: PoolRegistry(), clock: { clock.now })
    }

    var now: MonotonicTime { clock.now }

    func pass(_ seconds: Double) { clock.advance(seconds) }

    static func origin(_ host: String) -> Origin { Origin(scheme: "https", host: host, port: 443) }

    // MARK: Requests

    func submit(_ host: String, _ site: CallSite = "catalog") -> RequestNumber {
        recorder.record { $0.submitted(to: Self.origin(host), site: site) }
    }

    /// Gives the request an idle connection or a new one.
    func acquire(_ request: RequestNumber, _ host: String) {
        let connection =
            idle[host]?.popLast()
            ?? recorder.record { ledger in
                let connection = ledger.connectionOpening(to: Self.origin(host))
                ledger.connectionOpened(connection)
                return connection
            }
        recorder.record {
            $0.acquired(request, on: connection)
            $0.requestSent(request)
        }
        held[request] = (host, connection)
    }

    func end(_ request: RequestNumber, _ outcome: LeaseOutcome = .success, closing reason: CloseReason? = nil) {
        guard let (host, connection) = held.removeValue(forKey: request) else { return }
        recorder.record {
            $0.leaseEnded(request, outcome)
            if let reason { $0.connectionClosed(connection, reason) }
        }
        if reason == nil { idle[host, default: []].append(connection) }
    }

    /// A whole exchange.
    func exchange(
        _ host: String,
        _ site: CallSite = "catalog",
        seconds: Double = 0.02,
        _ outcome: LeaseOutcome = .success,
        closing reason: CloseReason? = nil
    ) {
        let request = submit(host, site)
        acquire(request, host)
        pass(seconds)
        recorder.record { $0.responseHead(request) }
        end(request, outcome, closing: reason)
    }

    /// Minutes of usual traffic: five requests a second that take 20 ms.
    func usual(_ host: String, minutes: Int = 5) {
        for _ in 0..<minutes * 60 {
            for _ in 0..<5 { exchange(host) }
            pass(0.9)
        }
    }

    /// A request that begins and does not end.
    func hang(_ host: String, _ site: CallSite = "catalog") -> RequestNumber {
        let request = submit(host, site)
        acquire(request, host)
        return request
    }

    /// A connection that cannot be opened, and the request that it was for.
    func fail(_ host: String, _ reason: ConnectFailure = .refused, _ words: String = "Connection refused") {
        let request = submit(host)
        recorder.record { ledger in
            let connection = ledger.connectionOpening(to: Self.origin(host))
            ledger.connectionFailed(connection, reason)
            ledger.originFailed(Self.origin(host), words)
            ledger.acquireFailed(request, .connectFailed)
        }
    }

    // MARK: Pages

    var report: PoolReport { measured.report() }

    var process: ProcessSituation {
        // 2026-11-26 03:12:41 UTC
        ProcessSituation(
            now: now,
            wallClock: 1_795_662_761,
            host: "gateway",
            pid: 7,
            uptime: 51_600,
            openDescriptors: 100,
            maxDescriptors: 1024,
            clientsCreated: 1,
            clientsAlive: 1
        )
    }

    var diagnosis: Diagnosis { Diagnosis([report], process) }

    var page: String { StatusText.page([report], process, diagnosis) }
}
