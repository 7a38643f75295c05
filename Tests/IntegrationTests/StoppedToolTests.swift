import Glibc
import Synchronization
import TestSupport
import Testing

/// A process that is stopped as a whole (signal(7): SIGSTOP; a frozen container), while its responses arrive.
@Suite("A stopped process")
struct StoppedToolTests {
    @Test("Responses that arrived while it was stopped are no timeouts", arguments: [20, 100])
    func stopped(count: Int) async throws {
        let gate = Gate()
        let arrived = Counter()
        let answered = Counter()
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                arrived.add(1)
                if arrived.value <= count { try gate.wait() }
                connection.answer("in time")
                answered.add(1)
            }
        }
        let run = try Tool.start(
            ["run", "--target", "http://\(peer.authority)/", "--concurrency", "\(count)", "--duration", "7"],
            [
                "HTTP_CLIENT_METRICS_PORT": "0", "HTTP_CLIENT_MAX_CONNECTIONS": "\(count)",
                "HTTP_CLIENT_READ_TIMEOUT": "1.5",
            ]
        )
        try await eventually("all have arrived") { arrived.value >= count }
        run.signal(SIGSTOP)
        gate.open()
        try await eventually("all are answered") { answered.value >= count }
        // It is the time that this case is about.
        try await Task.sleep(for: .seconds(5))
        run.signal(SIGCONT)
        let ended = try await run.end()
        let report = ToolReport(ended.output)
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(report.errors.isEmpty, "\(report)")
        #expect(try #require(report.number("requests")) >= Double(count), "\(report)")
        try await peer.stop()
    }
}
