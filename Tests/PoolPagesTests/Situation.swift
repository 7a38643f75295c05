import HTTPPool
import PoolMetrics
import Testing

@testable import PoolPages

/// What a process may be in when somebody asks for its pages.
struct Situation: Sendable, CustomTestStringConvertible {
    let name: String
    let reports: [PoolReport]
    let process: ProcessSituation

    var testDescription: String { name }
    var diagnosis: Diagnosis { Diagnosis(reports, process) }

    private init(_ name: String, _ incidents: [Incident], process: ProcessSituation? = nil) throws {
        self.name = name
        reports = incidents.map(\.report)
        let idle = ProcessSituation(now: MonotonicTime(nanoseconds: 1_000_000_000_000), wallClock: 1_795_662_761)
        self.process = process ?? incidents.first?.process ?? idle
    }

    /// All of them. A test that cannot make one of them fails.
    static func all() throws -> [Situation] {
        try [
            Situation("no pool", []), idle(), healthy(), perUpstream(), saturated(), down(), failing(), leak(), slow(),
            noReuse(),
            clientPerRequest(), past(), withoutConnections(), twoPools(), hostileNames(), longNames(),
        ]
    }

    static func idle() throws -> Situation { try Situation("idle", [try Incident()]) }

    static func healthy() throws -> Situation {
        let incident = try Incident()
        incident.usual("identity.prod.svc.cluster.local", minutes: 12)
        incident.exchange("10.24.3.17", "peers")
        return try Situation("healthy", [incident])
    }

    static func perUpstream() throws -> Situation {
        let incident = try Incident {
            $0.limits.maxConnectionsPerOrigin = 10
            $0.timeouts.total = nil
        }
        let host = "catalog-service.prod.svc.cluster.local"
        for other in ["identity.prod.svc.cluster.local", "10.24.3.17"] { incident.exchange(other, "token exchange") }
        incident.usual(host, minutes: 6)
        var running = (0..<10).map { _ in incident.hang(host, "tool calls") }
        for turn in 0..<80 {
            let waiting = incident.submit(host, "tool calls")
            incident.recorder.record { $0.queued(waiting, behind: .connectionsPerOrigin) }
            incident.pass(2)
            incident.recorder.record { [running] in $0.responseHead(running[0]) }
            incident.end(running.removeFirst())
            incident.acquire(waiting, host)
            running.append(waiting)
            let another = incident.submit(host, "tool calls")
            incident.recorder.record { $0.queued(another, behind: .connectionsPerOrigin) }
            incident.pass(1)
            if turn < 40 { incident.recorder.record { $0.acquireFailed(another, .timeout) } }
        }
        _ = incident.hang("identity.prod.svc.cluster.local", "token exchange")
        incident.pass(0.5)
        return try Situation("an upstream at its limit", [incident])
    }

    static func saturated() throws -> Situation {
        let incident = try Incident { $0.limits.maxConnections = 4 }
        incident.usual("a", minutes: 2)
        for host in ["a", "a", "b", "c"] { _ = incident.hang(host, "export") }
        for _ in 0..<9 {
            let request = incident.submit("a")
            incident.recorder.record { $0.queued(request, behind: .connections) }
        }
        incident.pass(12)
        return try Situation("a pool at its limit", [incident])
    }

    static func down() throws -> Situation {
        let incident = try Incident()
        incident.usual("search.example")
        incident.pass(80)
        for _ in 0..<10 {
            incident.fail("search.example", .refused, "Connection refused")
            incident.pass(1)
        }
        return try Situation("an upstream that is down", [incident])
    }

    static func failing() throws -> Situation {
        let incident = try Incident()
        incident.usual("a")
        for _ in 0..<90 {
            for number in 0..<10 { incident.exchange("a", "catalog", number < 6 ? .serverError : .success) }
            incident.pass(0.8)
        }
        return try Situation("an upstream that fails", [incident])
    }

    static func leak() throws -> Situation {
        let incident = try Incident()
        incident.usual("a", minutes: 2)
        for _ in 0..<6 {
            let request = incident.hang("a", "catalog export")
            incident.recorder.record {
                $0.responseHead(request)
                $0.waitingFor(.caller, request)
            }
            for _ in 0..<10 { incident.exchange("a", seconds: 0.5) }
            incident.pass(40)
            _ = incident.report
        }
        return try Situation("a leak", [incident])
    }

    static func slow() throws -> Situation {
        let incident = try Incident()
        incident.usual("a")
        for _ in 0..<60 { incident.exchange("a", seconds: 1.5) }
        return try Situation("a slow upstream", [incident])
    }

    static func noReuse() throws -> Situation {
        let incident = try Incident()
        for _ in 0..<150 {
            incident.exchange("a", closing: .responseClose)
            incident.pass(0.7)
        }
        return try Situation("no reuse", [incident])
    }

    static func clientPerRequest() throws -> Situation {
        let incident = try Incident()
        incident.usual("a", minutes: 1)
        var process = incident.process
        process.clientsCreated = 33_124
        process.clientsAlive = 4
        process.clientsMadeLately = 1500
        return try Situation("a client per request", [incident], process: process)
    }

    static func past() throws -> Situation {
        let incident = try Incident()
        incident.usual("a")
        incident.pass(80)
        for _ in 0..<10 {
            incident.fail("a")
            incident.pass(1)
        }
        _ = incident.diagnosis
        incident.usual("a", minutes: 2)
        return try Situation("a trouble that is over", [incident])
    }

    /// A client that does not report its connections.
    static func withoutConnections() throws -> Situation {
        let incident = try Incident(facts: PoolFacts.all.subtracting([.connections, .slots]))
        for _ in 0..<2 {
            let request = incident.submit("a")
            incident.recorder.record { $0.acquired(request, .new) }
        }
        incident.pass(1)
        return try Situation("connections that are not reported", [incident])
    }

    static func twoPools() throws -> Situation {
        let short = try Incident("short") { $0.limits.maxConnections = 1 }
        _ = short.hang("a")
        let request = short.submit("a")
        short.recorder.record { $0.queued(request, behind: .connections) }
        short.pass(2)
        let leaking = try Incident("leaking/second")
        let held = leaking.hang("b")
        leaking.recorder.record {
            $0.responseHead(held)
            $0.waitingFor(.caller, held)
        }
        leaking.pass(70)
        return try Situation("two pools", [leaking, short])
    }

    /// Whatever a name, or an error's words, might do to a page.
    static let hostile =
        "</td></script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\u{202E}\u{1B}[31m ملف"

    static func hostileNames() throws -> Situation {
        // Those of pools have at most 64 bytes.
        let incident = try Incident("</h1><script>alert(0)</script>\"'>&amp;")
        let site = CallSite(hostile)
        for _ in 0..<40 { incident.exchange("a", site) }
        _ = incident.hang("a", site)
        let request = incident.submit("b", site)
        incident.recorder.record { $0.queued(request, behind: .connections) }
        for _ in 0..<10 {
            incident.fail("c", .refused, hostile)
            incident.pass(1)
        }
        return try Situation("hostile names", [incident])
    }

    static let longHost =
        "a-very-long-name-of-a-service-in-production." + String(repeating: "x", count: 60) + ".cluster.local"

    static func longNames() throws -> Situation {
        let incident = try Incident { $0.limits.maxConnectionsPerOrigin = 1 }
        incident.usual(longHost, minutes: 1)
        _ = incident.hang(longHost, "a call site with quite a long name that does not fit its column")
        for _ in 0..<3 {
            let request = incident.submit(longHost)
            incident.recorder.record { $0.queued(request, behind: .connectionsPerOrigin) }
        }
        incident.pass(3)
        return try Situation("long names", [incident])
    }
}
