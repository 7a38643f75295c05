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
}
