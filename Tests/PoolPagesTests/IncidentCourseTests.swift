import HTTPPool
import PoolMetrics
import Testing

@testable import PoolPages

/// What real incidents showed: the pages of the first seconds, and those of the time after.
@Suite("What is found as an incident begins, and after its end")
struct IncidentCourseTests {
    private func row(_ verdict: Verdict, _ label: String) -> String? { verdict.rows.first { $0.label == label }?.text }

    /// A limit of two connections that an upstream which no longer responds has filled, for so many seconds.
    private func silent(for seconds: Int) throws -> (
        incident: Incident, running: [RequestNumber], waiting: RequestNumber
    ) {
        let incident = try Incident { $0.limits.maxConnectionsPerOrigin = 2 }
        incident.usual("a")
        let running = [incident.hang("a"), incident.hang("a")]
        let waiting = incident.submit("a")
        incident.recorder.record { $0.queued(waiting, behind: .connectionsPerOrigin) }
        for _ in 0..<seconds {
            incident.pass(1.05)
            _ = incident.diagnosis
        }
        return (incident, running, waiting)
    }

    @Test("A saturation whose upstream has begun to be slow never advises to raise the limit first", arguments: 1...5)
    func begins(_ seconds: Int) throws {
        let verdict = try silent(for: seconds).incident.diagnosis.first
        #expect(verdict.kind == .saturatedPerOrigin)
        #expect(row(verdict, "cause")?.hasPrefix("The upstream is slow: it responds in \(seconds).") == true)
        #expect(row(verdict, "do first")?.hasPrefix("Find out why it is slow.") == true)
        #expect(row(verdict, "set") == nil)
    }

    @Test("An upstream whose late responses arrive one after the other stays slow, although it is never silent")
    func trickle() throws {
        let incident = try Incident()
        incident.usual("a")
        var running = (0..<16).map { _ in incident.hang("a") }
        for _ in 0..<16 {
            incident.pass(0.25)
            _ = incident.diagnosis
        }
        for turn in 0..<100 {
            incident.recorder.record { [running] in $0.responseHead(running[0]) }
            incident.end(running.removeFirst())
            running.append(incident.hang("a"))
            incident.pass(0.25)
            let verdict = incident.diagnosis.first
            try #require(verdict.kind == .upstreamSlow, "\(turn): \(verdict.headline)")
            #expect(
                verdict.title.contains(#/^it responds in [1-9]\.\d s, usually in 20 ms$/#),
                "\(turn): \(verdict.title)"
            )
        }
    }

    @Test("An upstream of which two in five responses take long is not slow")
    func mixed() throws {
        let incident = try Incident()
        for turn in 0..<2_000 {
            incident.exchange("a", seconds: turn * 2 % 5 < 2 ? 0.6 : 0.01)
            incident.pass(0.05)
            guard turn > 500 else { continue }
            #expect(incident.diagnosis.verdicts.map(\.kind) == [.healthy])
        }
    }

    @Test("What was names the saturation as well as the slow upstream that caused it and ended later")
    func ended() throws {
        let (incident, running, waiting) = try silent(for: 5)
        incident.end(running[0])
        incident.acquire(waiting, "a")
        for _ in 0..<5 {
            incident.pass(1)
            _ = incident.diagnosis
        }
        for request in [running[1], waiting] {
            incident.recorder.record { $0.responseHead(request) }
            incident.end(request)
        }
        incident.usual("a", minutes: 2)
        let diagnosis = incident.diagnosis
        #expect(diagnosis.verdicts.map(\.kind) == [.healthy])
        let parts = try #require(diagnosis.lastTrouble(incident.process)).split(separator: "; ")
        #expect(parts.count == 2 && parts.allSatisfy { $0.hasSuffix(": https://a:443") }, "\(parts)")
        #expect(parts.first?.contains(" ago UPSTREAM SLOW for ") == true, "\(parts)")
        #expect(parts.last?.contains(" ago SATURATED for ") == true, "\(parts)")
    }

    @Test("A queue is counted whole, though a page looks at the oldest requests only, and then says so")
    func longQueue() throws {
        let incident = try Incident { $0.limits.maxConnections = 1 }
        _ = incident.hang("a")
        for _ in 0..<1_500 {
            let request = incident.submit("a")
            incident.recorder.record { $0.queued(request, behind: .connections) }
        }
        incident.pass(2)
        let text = RequestsText.queue([incident.report], incident.process, PageQuery())
        #expect(
            text.hasPrefix("QUEUE: 1,500 requests wait for a connection, the oldest for 2.0 s\n"),
            "\(text.prefix(300))"
        )
        #expect(text.contains("\n  the table counts the 1,000 oldest of them\n"), "\(text.prefix(300))")
        #expect(text.contains("100 of 1,500 are shown, the younger ones are not: ?limit=1000"))
        let leases = RequestsText.leases([incident.report], incident.process, PageQuery())
        #expect(leases.hasPrefix("LEASES: 1 request holds a connection") && !leases.contains("the table counts"))
    }
}

/// What a stranger did to upstreams of his own, and found misleading.
@Suite("What is found of an upstream that does not respond")
struct SilentUpstreamTests {
    private func row(_ verdict: Verdict, _ label: String) -> String? {
        verdict.rows.first { $0.label == label }?.text
    }

    private func full(_ incident: Incident, queued: Int = 6) {
        for _ in 0..<queued {
            let request = incident.submit("search")
            incident.recorder.record { $0.queued(request, behind: .connections) }
        }
    }

    private func expectNoRaise(_ verdict: Verdict, _ cause: String, here: SourceLocation = #_sourceLocation) {
        #expect(verdict.kind == .saturated, "\(verdict.headline)", sourceLocation: here)
        let words = row(verdict, "cause") ?? ""
        #expect(words.hasPrefix(cause), "\(words)", sourceLocation: here)
        let advice = ["do first", "set", "or set"].compactMap { row(verdict, $0) }.joined(separator: " ")
        #expect(!advice.contains("Raise") && !advice.contains("axConnections"), "\(advice)", sourceLocation: here)
        #expect(row(verdict, "needed") == nil, sourceLocation: here)
    }

    @Test(
        "One that has never responded is said to be silent, and no limit is to be raised; no time of responses is shown"
    )
    func never() throws {
        let incident = try Incident { $0.limits.maxConnections = 4 }
        for _ in 0..<4 { _ = incident.hang("search") }
        full(incident)
        incident.pass(3)
        let verdict = incident.diagnosis.first
        expectNoRaise(verdict, "The upstream has not responded since the start.")
        #expect(!incident.page.contains("It responds in"))
    }

    @Test("One that falls silent is said to be so, and since when")
    func silent() throws {
        let incident = try Incident { $0.limits.maxConnections = 4 }
        incident.usual("search", minutes: 2)
        for _ in 0..<4 { _ = incident.hang("search") }
        full(incident)
        incident.pass(9)
        expectNoRaise(
            incident.diagnosis.first,
            "The upstream has not responded for 9.9 s, and responds in 20 ms usually."
        )
    }

    @Test("One that falls silent is found although a short timeout ends each request before it is old")
    func shortTimeout() throws {
        let incident = try Incident { $0.limits.maxConnections = 4 }
        incident.usual("search", minutes: 2)
        for _ in 0..<4 {
            let held = (0..<4).map { _ in incident.hang("search") }
            incident.pass(2)
            for request in held {
                incident.recorder.record { $0.originFailed(Incident.origin("search"), "no byte in time") }
                incident.end(request, .timeout, closing: .requestTimeout)
            }
        }
        for _ in 0..<4 { _ = incident.hang("search") }
        full(incident)
        incident.pass(1.5)
        expectNoRaise(incident.diagnosis.first, "The upstream has not responded for ")
    }

    @Test("One whose requests end with timeouts fails; that its connections are busy is no reason for more of them")
    func timeouts() throws {
        let incident = try Incident { $0.limits.maxConnections = 4 }
        for _ in 0..<6 {
            let held = (0..<4).map { _ in incident.hang("search") }
            incident.pass(3)
            for request in held { incident.end(request, .timeout, closing: .requestTimeout) }
        }
        for _ in 0..<4 { _ = incident.hang("search") }
        full(incident)
        incident.pass(1.5)
        expectNoRaise(incident.diagnosis.first, "The upstream fails: ")
    }

    @Test("One that stops within its responses is said to, whatever it took to begin them")
    func body() throws {
        let incident = try Incident { $0.limits.maxConnections = 4 }
        incident.usual("search", minutes: 2)
        for _ in 0..<4 {
            let request = incident.hang("search")
            incident.recorder.record { $0.responseHead(request) }
        }
        full(incident)
        incident.pass(4)
        expectNoRaise(incident.diagnosis.first, "The upstream stops within its responses: 4 of 4 connections wait")
    }

    @Test("Of two upstreams that hold half each, neither is blamed, and a limit per upstream is below what one holds")
    func halves() throws {
        let incident = try Incident { $0.limits.maxConnections = 4 }
        for host in ["a", "a", "b", "b"] { _ = incident.hang(host) }
        full(incident)
        incident.pass(2)
        #expect(incident.diagnosis.first.title == "all 4 connections are in use by 2 upstreams")
        let other = try Incident { $0.limits.maxConnections = 10 }
        for host in Array(repeating: "a", count: 6) + Array(repeating: "b", count: 4) { _ = other.hang(host) }
        full(other)
        other.pass(3)
        let advice = row(other.diagnosis.first, "do first") ?? ""
        #expect(advice.contains("set a limit per upstream, for example 5."), "\(advice)")
    }
}

/// What a finding says of now, while it is one of the last minute.
@Suite("What is found as a trouble begins and ends")
struct FindingTimesTests {
    @Test("An upstream is down since the first connection that failed, or since it last responded on an older one")
    func down() throws {
        let incident = try Incident()
        incident.usual("search", minutes: 1)
        let held = incident.hang("search")
        for second in 0..<40 {
            incident.fail("search")
            incident.pass(1)
            if second == 9 {
                incident.recorder.record { $0.responseHead(held) }
                incident.end(held, closing: .peerClosed)
            }
            _ = incident.diagnosis
        }
        let verdict = try #require(incident.diagnosis.verdicts.first { $0.kind == .upstreamDown })
        #expect(verdict.headline.hasPrefix("UPSTREAM DOWN for 30.0 s"), "\(verdict.headline)")
    }

    @Test("A failing upstream whose last requests succeeded is said to have recovered")
    func failing() throws {
        let incident = try Incident()
        for _ in 0..<40 {
            incident.exchange("search", seconds: 0.5, .serverError)
            _ = incident.diagnosis
        }
        func summary() -> String { incident.diagnosis.verdicts.first { $0.kind == .upstreamFailing }?.summary ?? "" }
        #expect(summary() == "Of them 40 with 5xx.", "\(summary())")
        for _ in 0..<50 { incident.exchange("search", seconds: 0.5) }
        #expect(summary().contains(", none failed."), "\(summary())")
    }

    @Test("A process whose clients end before anybody looks is not said to be idle without a word")
    func clients() throws {
        let incident = try Incident()
        var process = incident.process
        process.clientsCreated = 145
        let title = Diagnosis([incident.report], process).first.title
        #expect(title == "no request since the start; 145 clients were made since the start")
    }
}
