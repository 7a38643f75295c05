import Foundation
import HTTPPool
import TestSupport

@testable import PoolPages

/// Pages as an endpoint sends them, of which a test chooses the content.
enum StatusPages {
    /// The page with verdicts that `StatusJSON` writes.
    static func status(_ verdicts: [PoolPages.Verdict], _ severity: VerdictSeverity) throws -> String {
        let process = ProcessSituation(now: MonotonicTime(nanoseconds: 500_000_000_000), wallClock: 1_790_000_000)
        let page = PoolPages.Page(
            "poolscope/status",
            process,
            PoolPages.Status(
                severity: severity.name,
                verdicts: verdicts.map { VerdictJSON($0, process) },
                lastEnded: [],
                clients: ClientsJSON(alive: 1, createdTotal: 1, createdPerSecond60s: nil),
                pools: []
            )
        )
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(page), as: UTF8.self)
    }

    static func verdict(_ kind: VerdictKind, _ severity: VerdictSeverity, pool: String? = nil, _ title: String)
        -> PoolPages.Verdict
    {
        let now = MonotonicTime(nanoseconds: 500_000_000_000)
        let began = MonotonicTime(nanoseconds: 250_000_000_000)
        return PoolPages.Verdict(
            kind,
            severity,
            pool: pool,
            origin: "https://catalog:443",
            began: began,
            now: now,
            title
        )
    }

    /// A saturated pool, in the words of a page.
    static func saturated(version: Int = 1, schema: String = "poolscope/status", severity: String = "critical")
        -> String
    {
        """
        {"schema": "\(schema)", "version": \(version), "at": "2026-11-26T03:12:41Z", "severity": "\(severity)",
        "process": {"host": "gateway-7d9f", "pid": 7, "uptime_seconds": 51600, "a_new_key": [1, 2]},
        "clients": {"alive": 1, "created_total": 1, "created_per_second_60s": null}, "last_ended": [],
        "verdicts": [
          {"kind": "saturated_per_origin", "severity": "critical", "pool": "shared", "origin": "https://catalog:443",
           "since": "2026-11-26T03:08:31Z", "duration_seconds": 250,
           "headline": "SATURATED for 4 min 10 s: 1 upstream is at its limit of 10 connections",
           "summary": "59 requests are queued for it, the oldest for 4.9 s; 10.0 a second give up.",
           "rows": [{"label": "cause", "text": "The upstream is slow."}, {"label": "do first", "text": "Find out why."}],
           "numbers": {"queued": 59}},
          {"kind": "reload_failed", "severity": "warning", "pool": "second", "origin": null, "since": null,
           "duration_seconds": null, "headline": "RELOAD FAILED: the file is not valid", "summary": "", "rows": [],
           "numbers": {}}],
        "pools": [\(pool("shared", active: 12, queued: 60)), \(pool("second", active: 0, queued: 0)),
          \(pool("past", active: 0, queued: 0, hasEnded: true))]}
        """
    }

    static func pool(_ name: String, active: Int, queued: Int, hasEnded: Bool = false) -> String {
        """
        {"pool": "\(name)", "has_ended": \(hasEnded), "library": "libcurl/8", "oldest_queued_seconds": 4.9,
         "reuse_ratio": 0.9951, "connections": {"active": \(active), "idle": 5, "connecting": 1, "limit": 50},
         "requests": {"queued": \(queued), "connecting": 1, "in_flight": \(active)},
         "last_ten_minutes": [{"queued_peak": 0, "active_peak": 2, "overdue_peak": 0, "requests": 50, "failures": 0,
           "median_seconds": 0.038}, {"queued_peak": \(queued), "active_peak": \(active), "overdue_peak": 0,
           "requests": 9, "failures": 3, "median_seconds": null}],
         "origins": [
          {"origin": "https://catalog-service.prod.svc.cluster.local:443",
           "connections": {"active": \(active), "idle": 0, "connecting": 0, "limit": 10},
           "requests": {"queued": \(queued), "connecting": 0, "in_flight": \(active)}, "oldest_queued_seconds": 4.9,
           "responds_in_seconds": 5.0, "usual_seconds": 0.038, "requests_per_second": 12, "failures_per_second": 10,
           "last_error": null, "findings": ["saturated_per_origin", "upstream_slow"]},
          {"origin": "https://identity:443", "connections": {"active": 1, "idle": 4, "connecting": 0, "limit": 10},
           "requests": {"queued": 0, "connecting": 0, "in_flight": 1}, "oldest_queued_seconds": null,
           "responds_in_seconds": 0.012, "usual_seconds": 0.011, "requests_per_second": 3.9, "failures_per_second": 0,
           "last_error": null, "findings": []}],
         "sites": [
          {"site": "tool calls", "requests": {"queued": \(queued), "connecting": 0, "in_flight": \(active)},
           "acquires_per_second": 12, "failures_per_second": 10, "holds_for_seconds": 5},
          {"site": "token exchange", "requests": {"queued": 0, "connecting": 0, "in_flight": 1},
           "acquires_per_second": 3.9, "failures_per_second": 0, "holds_for_seconds": 0.013}]}
        """
    }

    /// `/leases` or `/queue`.
    static func requests(_ name: String) -> String {
        """
        {"schema": "poolscope/\(name)", "version": 1, "at": "2026-11-26T03:12:41Z", "process": {}, "total": 2, "shown": 2,
        "groups": [], "requests": [
          {"pool": "shared", "number": 7, "origin": "https://catalog:443", "site": "tool calls", "phase": "reading_body",
           "held_by": "caller", "age_seconds": 65, "still_seconds": 61, "gives_up_in_seconds": 0.1, "connection": 3},
          {"pool": "shared", "number": 8, "origin": "https://identity:443", "site": "token exchange", "phase": null,
           "held_by": null, "age_seconds": 0.2, "still_seconds": null, "gives_up_in_seconds": null, "connection": null}]}
        """
    }

    /// `/events`.
    static let events = """
        {"schema": "poolscope/events", "version": 1, "at": "2026-11-26T03:12:41Z", "process": {}, "total": 1, "events": [
          {"pool": "shared", "number": 1, "kind": "gave_up", "origin": "https://catalog:443", "text": "gave up",
           "detail": "first request after 5.0 s in the queue", "first_at": "2026-11-26T03:08:31Z",
           "last_at": "2026-11-26T03:08:31Z", "count": 2441}]}
        """

    /// A server that responds to every request with this text.
    static func server(_ body: String, head: String = "") throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer(body, headers: head) }
        }
    }
}
