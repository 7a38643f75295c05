import Foundation
import Glibc
import TestSupport
import Testing

@Suite("poolscope run", .serialized)
struct RunCommandTests {
    private let scrapes = CheckedScrapes()

    @Test("with one shared client, reuses connections, and shows its numbers while it runs")
    func shared() async throws {
        let (run, said) = try await Tool.startRun()
        try await eventually("requests have come back") { try await metrics(said).sum("\(Self.lease)_count") > 5_000 }
        let text = try await curl("--fail", try #require(said["metrics"]))
        let page = try await curl("--fail", try #require(said["status"]))
        #expect(text.status == 0, "\(text.errors)")
        #expect(page.status == 0, "\(page.errors)")
        let check = try await runProgram("promtool", ["check", "metrics"], input: Array(text.output.utf8))
        #expect(check.status == 0)
        #expect(check.output + check.errors == "")
        #expect(page.output.contains("\nshared  ") && page.output.contains("\ncall site "))
        #expect(page.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(page.output)")

        run.signal(SIGINT)
        let (report, _) = try await reportAtEnd(of: run)
        #expect(try #require(report.number("reuse ratio")) > 0.9, "\(report)")
        #expect(report.number("pools created") == 1)
    }

    @Test("with a client per request, reuses nothing and opens a connection each time")
    func perRequest() async throws {
        // At a rate: every connection leaves a port in TIME_WAIT, and other tests want ports too.
        let (run, _) = try await Tool.startRun("--per-request-clients", "--duration", "2", "--rate", "400")
        let (report, requests) = try await reportAtEnd(of: run)
        #expect(report.number("reuse ratio") == 0)
        #expect(report.number("pools created") == Double(requests))
        // The upstream breaks some connections; each of these was open before.
        #expect(Set(report.errors.keys).isSubset(of: ["connectionLost"]))
        #expect(report.number("connections opened") == Double(requests), "\(report)")
    }

    @Test("ends on a signal: the request that runs is finished and the summary printed", arguments: [SIGINT, SIGTERM])
    func signal(number: Int32) async throws {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                try gate.wait()
                connection.answer("late")
            }
        }
        defer { gate.open() }
        let (run, said) = try await Tool.startRun("--target", "http://\(peer.authority)/", "--concurrency", "1")
        try await eventually("a request runs") { try await self.inFlight(said) == 1 }
        run.signal(number)
        gate.open()
        let (report, requests) = try await reportAtEnd(of: run)
        #expect(requests >= 1)
        #expect(report.number("responses 2xx") == Double(requests))
        #expect(report.errors.isEmpty)
        #expect(report.number("connections opened") == 1)
        #expect(peer.connections == 1)
    }

    @Test(
        "ends at once on a second signal, whatever still runs, with the status that a shell has for it",
        arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)]
    )
    func secondSignal(number: Int32, status: Int32) async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        let (run, said) = try await Tool.startRun("--target", "http://\(peer.authority)/", "--concurrency", "1")
        try await eventually("a request hangs") { try await self.inFlight(said) == 1 }
        // Signals that come before the first was taken count as one with it.
        try await eventually("the tool ends") {
            run.signal(number)
            return !run.isRunning
        }
        #expect(run.waitForEnd().status == status)
        #expect(ToolReport(run.output)["requests"] == nil)
        #expect(peer.connections == 1)
    }

    /// A server that answers 101, and goes on without end; and one that never answers.
    private static func endlessPeer(upgrades: Bool) throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            guard upgrades else { return connection.waitForEnd() }
            connection.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
            while connection.write("x") { usleep(300_000) }
        }
    }

    @Test("ends within its duration and the grace, whatever its target does", arguments: [true, false])
    func endless(upgrades: Bool) async throws {
        let peer = try Self.endlessPeer(upgrades: upgrades)
        let arguments = [
            "run", "--target", "http://\(peer.authority)/", "--concurrency", "2", "--duration", "0.5", "--grace", "1",
        ]
        let variables = ["HTTP_CLIENT_METRICS_PORT": "0", "HTTP_CLIENT_READ_TIMEOUT": "none"]
        let run = try Tool.start(arguments, variables)
        let failure = "every request failed (\(upgrades ? "" : "cancelled 2)")"
        let (report, requests) = try await reportAtEnd(of: run, failure: failure)
        #expect(requests >= 2)
        if !upgrades { #expect(report.errors == ["cancelled": 2]) }
    }

    @Test("ends within the grace after a signal, whatever its target does", arguments: [true, false])
    func endlessSignal(upgrades: Bool) async throws {
        let peer = try Self.endlessPeer(upgrades: upgrades)
        let arguments = ["run", "--target", "http://\(peer.authority)/", "--concurrency", "2", "--grace", "1"]
        let variables = ["HTTP_CLIENT_METRICS_PORT": "0", "HTTP_CLIENT_READ_TIMEOUT": "none"]
        let run = try Tool.start(arguments, variables)
        try await eventually("requests run") { peer.connections >= 2 }
        run.signal(SIGTERM)
        let failure = "every request failed (\(upgrades ? "" : "cancelled 2)")"
        let (report, requests) = try await reportAtEnd(of: run, failure: failure)
        #expect(requests >= 2)
        if !upgrades { #expect(report.errors == ["cancelled": 2]) }
    }

    /// Swift's dispatch library ends the process (SIGILL) when it cannot open a file in /proc.
    @Test("lives when it is out of descriptors, and says so")
    func descriptors() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("a") }
        }
        for _ in 1...3 {
            let arguments = [
                "run", "--target", "http://\(peer.authority)/", "--concurrency", "100", "--duration", "0.5",
            ]
            let run = try Tool.start(arguments, ["HTTP_CLIENT_METRICS_PORT": "0"], descriptors: 64)
            let result = try await run.end()
            #expect(result.status == 0, "\(result.errors)")
            let report = ToolReport(result.output)
            #expect(try #require(report.number("responses 2xx")) > 0)
            #expect(Set(report.errors.keys) == ["outOfResources"], "\(report)")
        }
    }

    /// The upstream took the last descriptors, and so Swift's dispatch library ended the process.
    @Test("lives when its own upstream is out of descriptors, and says so at the start")
    func upstreamDescriptors() async throws {
        for descriptors in [64, 64, 56] {
            let arguments = ["run", "--concurrency", "100", "--duration", "1"]
            let run = try Tool.start(arguments, ["HTTP_CLIENT_METRICS_PORT": "0"], descriptors: descriptors)
            let result = try await run.end()
            #expect(result.status == 0, "\(result.errors)")
            let most = (descriptors - 32) / 2
            #expect(result.errors.contains("RLIMIT_NOFILE (\(descriptors)) is enough for \(most)."), "\(result.errors)")
            let report = ToolReport(result.output)
            #expect(try #require(report.number("responses 2xx")) > 0)
        }
        let fits = try Tool.start(
            ["run", "--concurrency", "4", "--duration", "0.2"],
            ["HTTP_CLIENT_METRICS_PORT": "0", "HTTP_CLIENT_MAX_CONNECTIONS": "32"],
            descriptors: 64
        )
        #expect(try await fits.end().errors == "")
    }

    @Test("goes on when its target is dead, counts the errors by kind, and ends with status 1")
    func deadTarget() async throws {
        let refusing = try RefusingPort()
        let target = "http://\(refusing.authority)/"
        let (run, _) = try await Tool.startRun("--target", target, "--duration", "1", "--rate", "100")
        let (report, requests) = try await reportAtEnd(of: run, failure: "every request failed (connectFailed")
        #expect(requests > 0)
        #expect(report.errors == ["connectFailed": requests])
        #expect(report["reuse ratio"] == "-")
        #expect(report.number("connections opened") == 0)
        withExtendedLifetime(refusing) {}
    }

    @Test("says in one line that its port is taken, and which variable changes it")
    func takenPort() async throws {
        let listener = try ScriptedPeer.listen(backlog: 1)
        defer { close(listener) }
        let port = ScriptedPeer.port(of: listener)
        let result = try await Tool.run(["run", "--duration", "1"], ["HTTP_CLIENT_METRICS_PORT": "\(port)"])
        #expect(result.status == 1)
        #expect(result.output.isEmpty)
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 1, "\(lines)")
        #expect(lines.first?.contains("127.0.0.1:\(port): the port is in use") == true, "\(lines)")
        #expect(lines.first?.contains("HTTP_CLIENT_METRICS_PORT") == true, "\(lines)")
    }

    @Test(
        "refuses a target that is not an address to call, without repeating it",
        arguments: ["http://user:sesame@127.0.0.1/", "ftp://sesame/", "/?key=sesame", "http://127.0.0.1:0/?key=sesame"]
    )
    func badTarget(target: String) async throws {
        let result = try await Tool.run(["run", "--target", "http://127.0.0.1:1/", "--target", target])
        #expect(result.status != 0)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("--target number 2: "))
        #expect(!result.errors.contains("sesame"))
    }

    /// The summary of a run: every request is in exactly one of its rows.
    ///
    /// - Parameter failure: the beginning of the one line of a run that ends with status 1; `nil` for one that ends well.
    private func reportAtEnd(of run: Program, failure: String? = nil) async throws -> (
        report: ToolReport, requests: Int
    ) {
        let result = try await run.end()
        #expect(result.status == (failure == nil ? 0 : 1), "\(result.output)\(result.errors)")
        if let failure {
            #expect(result.errors.hasPrefix("Error: \(failure)"), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        } else {
            #expect(result.errors.isEmpty)
        }
        let report = ToolReport(result.output)
        let requests = try #require(report.number("requests"), "\(report)")
        let answers = ["2xx", "3xx", "4xx", "5xx"].compactMap { report.number("responses \($0)") }
        #expect(answers.count == 4)
        let errors = report.errors.values.reduce(0, +)
        #expect(report.number("errors") == Double(errors))
        #expect(answers.reduce(Double(errors), +) == requests, "\(report)")
        return (report, Int(requests))
    }

    private static let lease = "http_client_pool_lease_duration_seconds"

    private func inFlight(_ said: ToolReport) async throws -> Double {
        try await metrics(said).sum("http_client_pool_requests", ["state": "in_flight"])
    }

    /// What the tool's endpoint shows now.
    private func metrics(_ said: ToolReport) async throws -> ExpositionReader {
        try await scrapes.scrape(try #require(said["metrics"]))
    }
}
