import HTTPPool
import PoolMetrics
import TestSupport
import Testing

/// A reason, an outcome or a level that nothing ever moves is worse than none: an alert on it is silent for ever.
@Suite("The vocabulary of the metrics", .serialized)
struct VocabularyTests {
    /// What CurlPool cannot have, and why.
    private static let exceptions = [
        "acquire_failures_total reason=lost": "its thread hands a connection over and watches it in the same turn",
        "connections_closed_total reason=go_away": "libcurl does not say that the peer has sent GOAWAY",
        "connections_closed_total reason=max_requests": "it has no such limit",
        "connections_closed_total reason=superseded": "it keeps every connection to a peer that works",
        "limit_waits_total limit=streams": "a peer without a free stream is given another connection",
        "saturated limit=streams": "as limit_waits_total",
        "saturated_seconds_total limit=streams": "as limit_waits_total",
    ]

    @Test("Every series of a pool has not been 0 in some scrape of CurlPool, and every phase and event has occurred")
    func complete() async throws {
        let vocabulary = Vocabulary()
        let provocations: [(Vocabulary) async throws -> Void] = [
            { try await $0.completeResponses() }, { try await $0.brokenResponses() }, { try await $0.deadConnection() },
            { try await $0.callers() }, { try await $0.overdueLeases() }, { try await $0.phases() },
            { try await $0.queue() }, { try await $0.queueOfAnOrigin() }, { try await $0.stalledThread() },
            { try await $0.changedLimits() }, { try await $0.unknownName() }, { try await $0.failedConnects() },
            { try await $0.refusedTunnel() }, { try await $0.noDescriptor() }, { try await $0.idleConnections() },
            { try await $0.closingPeers() }, { try await $0.silentPeer() }, { try await $0.http2() },
        ]
        for (index, provocation) in provocations.enumerated() {
            do { try await provocation(vocabulary) } catch { Issue.record("provocation \(index): \(error)") }
        }
        #expect(vocabulary.known.subtracting(vocabulary.seen) == Set(Self.exceptions.keys))
        #expect(vocabulary.kinds == Set(PoolEventKind.allCases))
        #expect(vocabulary.phases == Set(RequestPhase.allCases))
        #expect(Self.vocabulary.isSubset(of: vocabulary.known), "\(Self.vocabulary.subtracting(vocabulary.known))")
    }

    @Test("What CurlPool cannot have is seen of a client that reports it to a recorder")
    func exceptions() throws {
        let vocabulary = Vocabulary()
        let recorder = PoolRecorder(backend: PoolBackend(library: "x/1", tls: "none"))
        let measured = try MeasuredPool(recorder, registry: PoolRegistry())
        let origin = Origin(scheme: "http", host: "a", port: 80)
        for reason in [CloseReason.goAway, .maxRequests, .superseded] {
            recorder.record { ledger in
                let connection = ledger.connectionOpening(to: origin)
                ledger.connectionOpened(connection)
                ledger.connectionClosed(connection, reason)
            }
        }
        let request = recorder.record { ledger in
            ledger.acquireFailed(ledger.submitted(to: origin), .lost)
            let request = ledger.submitted(to: origin)
            ledger.queued(request, behind: .streams)
            return request
        }
        try vocabulary.look(at: measured)
        recorder.record { $0.acquireFailed(request, .cancelled) }
        try vocabulary.look(at: measured)
        let missing = Set(Self.exceptions.keys).subtracting(vocabulary.seen)
        #expect(missing.isEmpty, "\(missing)")
        #expect(recorder.violations == [])
    }

    /// The label values that the vocabulary has, whatever the families make of them.
    private static var vocabulary: Set<String> {
        func series<Key: CaseIterable & RawRepresentable<String>>(_ name: String, _: Key.Type) -> [String] {
            Key.allCases.map { "\(name)=\($0.rawValue)" }
        }
        let all = [
            series("acquires_total kind", AcquireKind.self),
            series("acquire_failures_total reason", AcquireFailure.self),
            series("connect_failures_total reason", ConnectFailure.self),
            series("connections_closed_total reason", CloseReason.self),
            series("leases_total outcome", LeaseOutcome.self), series("limit_waits_total limit", PoolLimit.self),
            series("saturated limit", PoolLimit.self), series("saturated_seconds_total limit", PoolLimit.self),
            series("overdue_leases held_by", LeaseSide.self),
        ]
        return Set(all.joined())
    }
}
