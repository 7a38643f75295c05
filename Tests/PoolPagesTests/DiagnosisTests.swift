import HTTPPool
import PoolMetrics
import Testing

@testable import PoolPages

@Suite("What is found in a pool")
struct DiagnosisTests {
    private func row(_ verdict: Verdict, _ label: String) -> String? { verdict.rows.first { $0.label == label }?.text }

    /// The time that the counts of a finding cover.
    private func lately(_ incident: Incident) -> String {
        "in the last \(Int(incident.report.recentSeconds.rounded())) s"
    }

    @Test("A pool without a request is idle, one whose requests succeed is healthy, and one that rests is idle again")
    func calm() throws {
        let incident = try Incident()
        #expect(incident.diagnosis.first.headline == "IDLE: no request since the start")
        incident.usual("a", minutes: 1)
        #expect(incident.diagnosis.verdicts.map(\.kind) == [.healthy])
        #expect(incident.diagnosis.severity == .ok)
        incident.pass(900)
        #expect(incident.diagnosis.first.headline == "IDLE: no request in the last 10 min")
    }

    @Test(
        "A limit per upstream that a slow upstream fills names the upstream, the cause and who holds, and does not advise the limit first"
    )
    func slowAtItsLimit() throws {
        let incident = try Incident { $0.limits.maxConnectionsPerOrigin = 2 }
        let host = "catalog-service.prod.svc.cluster.local"
        incident.usual(host)
        let began = incident.now
        var running = [incident.hang(host, "tool calls"), incident.hang(host, "tool calls")]
        for _ in 0..<20 {
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
            incident.recorder.record { $0.acquireFailed(another, .timeout) }
        }
        for _ in 0..<3 {
            let request = incident.submit(host, "tool calls")
            incident.recorder.record { $0.queued(request, behind: .connectionsPerOrigin) }
        }
        incident.pass(1)
        let diagnosis = incident.diagnosis
        let verdict = diagnosis.first
        #expect(diagnosis.verdicts.map(\.kind) == [.saturatedPerOrigin], "\(diagnosis.verdicts.map(\.headline))")
        #expect(verdict.title == "1 upstream is at its limit of 2 connections")
        #expect(verdict.origin == "https://\(host):443")
        #expect(verdict.severity == .critical)
        #expect((verdict.began ?? began) - began < 1_000_000_000)
        #expect(verdict.summary.hasPrefix("3 requests are queued for it, the oldest for 1.0 s; 0."))
        let cause = try #require(row(verdict, "cause"))
        #expect(
            cause.hasPrefix("The upstream is slow: it responds in ") && cause.contains("usually in 20 ms"),
            "\(cause)"
        )
        #expect(row(verdict, "held by") == "call site \"tool calls\": 2 of 2")
        #expect(row(verdict, "limit")?.contains("The pool has room") == true)
        #expect(row(verdict, "do first")?.contains("More connections would only add to its load") == true)
        #expect(row(verdict, "or set")?.hasPrefix("limits.maxConnectionsPerOrigin") == true)
        #expect(row(verdict, "cost")?.hasPrefix("20 of 40 requests gave up") == true, "\(row(verdict, "cost") ?? "")")
    }

    @Test("All connections held by a fast upstream: the limit is below the need, and to raise it comes first")
    func below() throws {
        let incident = try Incident { $0.limits.maxConnections = 2 }
        incident.usual("a", minutes: 1)
        let running = [incident.hang("a"), incident.hang("a")]
        _ = running
        for _ in 0..<4 {
            let request = incident.submit("a")
            incident.recorder.record { $0.queued(request, behind: .connections) }
        }
        for _ in 0..<3 {
            incident.pass(0.07)
            incident.recorder.record { $0.waitingFor(.peer, running[0]) }
        }
        incident.pass(1)
        let verdict = incident.diagnosis.first
        #expect(verdict.headline == "SATURATED for 1.2 s: 1 upstream holds 2 of all 2 connections")
        #expect(verdict.queued == 4)
    }

    @Test(
        "An upstream that refuses connections is down, with the error's words and no setting to change",
        arguments: [
            (ConnectFailure.refused, "it refuses connections"), (.dns, "its name is not found"),
            (.timeout, "its connections are not ready in time"), (.tls, "the TLS handshake fails"),
        ]
    )
    func down(_ reason: ConnectFailure, _ title: String) throws {
        let incident = try Incident()
        incident.usual("a")
        incident.pass(80)
        for _ in 0..<10 {
            incident.fail("a", reason, "the words of it")
            incident.pass(1)
        }
        let verdict = incident.diagnosis.first
        #expect(verdict.kind == .upstreamDown && verdict.title == title)
        let words = "10 of 10 attempts to connect failed \(lately(incident)), "
        #expect(verdict.summary.hasPrefix(words), "\(verdict.summary)")
        #expect(row(verdict, "cause") == "\(reason.rawValue): 10 of 10 attempts")
        #expect(row(verdict, "error") == "last: \"the words of it\", 1.0 s ago")
        #expect(row(verdict, "or set") == "nothing: no setting of the pool helps")
        #expect(verdict.severity == .critical)
    }

    @Test(
        "An upstream that responds with errors fails: critical from half of its requests on",
        arguments: [
            (2, VerdictSeverity.warning), (6, .critical),
        ]
    )
    func failing(_ errors: Int, _ severity: VerdictSeverity) throws {
        let incident = try Incident()
        incident.usual("a")
        for _ in 0..<90 {
            for number in 0..<10 { incident.exchange("a", "catalog", number < errors ? .serverError : .success) }
            incident.pass(0.8)
        }
        let verdict = incident.diagnosis.first
        #expect(verdict.kind == .upstreamFailing && verdict.severity == severity)
        #expect(verdict.title.hasSuffix(" failed \(lately(incident)), most with 5xx"), "\(verdict.title)")
        #expect(row(verdict, "before")?.hasSuffix(" % of the requests failed in the last hour without trouble") == true)
    }

    @Test("The cause of failures is what happens most, and the last error is only the last one")
    func usualCause() throws {
        let incident = try Incident()
        incident.usual("a")
        incident.pass(80)
        for number in 0..<130 {
            incident.exchange("a", "catalog", number < 120 ? .serverError : number < 123 ? .timeout : .success)
            incident.pass(0.1)
        }
        incident.exchange("a", "catalog", .connectionLost)
        incident.recorder.record {
            $0.originFailed(Incident.origin("a"), "the connection closed before a response arrived")
        }
        incident.pass(1)
        let verdict = incident.diagnosis.first
        #expect(verdict.kind == .upstreamFailing)
        #expect(row(verdict, "cause") == "5xx: 120 of 131 requests, timeout: 3, connection_lost: 1")
        #expect(row(verdict, "error") == "last: \"the connection closed before a response arrived\", 1.0 s ago")
    }

    @Test("The time that counts cover is named as it is: more than a minute, or less in a young pool")
    func window() throws {
        for (passed, seconds) in [(0.0, 14), (59.0, 63)] {
            // Its first cell of ten seconds has just begun.
            let incident = try Incident()
            for _ in 0..<100 { incident.exchange("a", seconds: 0.05, .serverError) }
            incident.pass(passed)
            for _ in 0..<100 { incident.exchange("a", seconds: 0.04, .serverError) }
            incident.pass(5)
            incident.exchange("a", seconds: 0.04, .serverError)
            let verdict = incident.diagnosis.first
            #expect(verdict.kind == .upstreamFailing)
            #expect(verdict.title.contains("failed in the last \(seconds) s, "), "\(verdict.title)")
            let numbers = Dictionary(uniqueKeysWithValues: verdict.numbers.map { ($0.name, $0.value) })
            #expect(numbers["window_seconds"] == incident.report.recentSeconds)
            #expect(numbers["recent_requests"] == Double(incident.report.recent.leases))
        }
    }

    @Test("Our own code that reads nothing is a leak, told apart from an upstream that sends nothing")
    func leak() throws {
        let incident = try Incident()
        incident.usual("a", minutes: 2)
        let request = incident.hang("a", "catalog export")
        incident.recorder.record {
            $0.responseHead(request)
            $0.waitingFor(.caller, request)
        }
        let silent = incident.hang("b", "other")
        _ = silent
        incident.pass(75)
        let found = incident.diagnosis.verdicts
        #expect(found.map(\.kind) == [.leakSuspected])
        let verdict = try #require(found.first)
        #expect(verdict.headline == "LEAK SUSPECTED for 15.0 s: our own code holds 1 connection")
        #expect(verdict.origin == "https://a:443" && verdict.severity == .warning)
        #expect(row(verdict, "do first")?.hasPrefix("In the code of \"catalog export\"") == true)
        #expect(row(verdict, "or set")?.contains("would end every request") == true)
    }

    @Test(
        "An upstream that moves nothing on a fifth of the connections is named before anybody waits, and not called healthy"
    )
    func silent() throws {
        let incident = try Incident()
        incident.usual("a", minutes: 2)
        let limit = incident.report.reading.configuration.limits.maxConnections
        for number in 0..<limit * 9 / 10 {
            let request = incident.hang("b", number % 3 == 0 ? "export" : "feed")
            incident.recorder.record { $0.responseHead(request) }
        }
        incident.pass(50)
        #expect(incident.diagnosis.verdicts.map(\.kind).contains(.upstreamSilent) == false)
        incident.pass(25)
        let found = incident.diagnosis.verdicts
        #expect(found.map(\.kind) == [.upstreamSilent], "\(found.map(\.kind))")
        let verdict = try #require(found.first)
        #expect(
            verdict.headline
                == "UPSTREAM SILENT for 15.0 s: it moves no byte on \(limit * 9 / 10) of \(limit) connections"
        )
        #expect(verdict.origin == "https://b:443" && verdict.severity == .warning)
        #expect(row(verdict, "cause") == "the upstream stopped within \(limit * 9 / 10) responses")
        #expect(row(verdict, "held by")?.hasPrefix("call site \"feed\": ") == true)
        // A higher limit would help nobody.
        #expect(!verdict.rows.contains { $0.text.contains("MAX_CONNECTIONS") })
    }

    @Test("The longest silence is that of the request whose last byte is oldest, not of the oldest request")
    func longestSilence() throws {
        let incident = try Incident()
        incident.usual("a", minutes: 2)
        let limit = incident.report.reading.configuration.limits.maxConnections
        let oldest = incident.hang("b")
        incident.pass(1)
        for _ in 0..<limit / 2 { _ = incident.hang("b") }
        incident.pass(40)
        incident.recorder.record { $0.responseHead(oldest) }
        incident.pass(70)
        let verdict = incident.diagnosis.first
        #expect(verdict.kind == .upstreamSilent)
        #expect(verdict.summary.contains("the longest for 1 min 50 s"), "\(verdict.summary)")
    }

    @Test("A few silent connections are no finding: long polls are silent for long")
    func longPolls() throws {
        let incident = try Incident()
        incident.usual("a", minutes: 2)
        let limit = incident.report.reading.configuration.limits.maxConnections
        for _ in 0..<limit / 5 { _ = incident.hang("b") }
        incident.pass(120)
        #expect(incident.diagnosis.verdicts.map(\.kind) == [.healthy])
    }

    @Test(
        "Connections that are not reused, by who closes them",
        arguments: [
            (CloseReason.responseClose, "Connection: close"), (.peerClosed, "the upstream closes idle connections"),
            (.requestCancelled, "half-read"), (.idleExpired, "expire before the next request"),
        ]
    )
    func reuse(_ reason: CloseReason, _ words: String) throws {
        let incident = try Incident()
        for _ in 0..<150 {
            incident.exchange("a", closing: reason)
            incident.pass(0.7)
        }
        let verdict = try #require(incident.diagnosis.verdicts.first { $0.kind == .noReuse })
        #expect(verdict.age ?? 0 > 60)
        #expect(row(verdict, "cause")?.contains(words) == true)
    }

    @Test("A slow upstream that has room is a warning with its outlook")
    func slow() throws {
        let incident = try Incident()
        incident.usual("a")
        for _ in 0..<60 { incident.exchange("a", seconds: 1.5) }
        let verdict = incident.diagnosis.first
        #expect(verdict.kind == .upstreamSlow && verdict.severity == .warning)
        #expect(verdict.title.hasPrefix("it responds in 1.") && verdict.title.hasSuffix(", usually in 20 ms"))
        #expect(row(verdict, "outlook")?.contains("of 50 connections") == true)
    }

    @Test("One request and one connection are in the singular")
    func singular() throws {
        let incident = try Incident { $0.limits.maxConnections = 1 }
        incident.usual("a")
        for _ in 0..<60 { incident.exchange("a", seconds: 1.5) }
        _ = incident.hang("a")
        incident.pass(2)
        let slow = try #require(incident.diagnosis.verdicts.first { $0.kind == .upstreamSlow })
        #expect(slow.summary == "1 request to it is in flight, the oldest for 2.0 s.")
        let waiting = incident.submit("a")
        incident.recorder.record { $0.queued(waiting, behind: .connections) }
        for _ in 0..<3 { incident.pass(1) }
        let saturated = try #require(incident.diagnosis.verdicts.first { $0.kind == .saturated })
        #expect(saturated.title == "1 upstream holds the only connection")
        #expect(row(saturated, "limit")?.hasPrefix("the only connection: 1 active") == true)
    }

    @Test("Clients made per request are found in the process, and the shared pool is cleared of it")
    func clientPerRequest() throws {
        let incident = try Incident()
        incident.usual("a", minutes: 1)
        var process = incident.process
        process.clientsCreated = 33_124
        process.clientsAlive = 4
        process.clientsMadeLately = 1500
        let verdict = Diagnosis([incident.report], process).first
        #expect(verdict.title == "25.0 HTTP clients are made each second")
        #expect(verdict.kind == .clientPerRequest && verdict.severity == .critical)
        #expect(row(verdict, "not by")?.hasPrefix("pool shared") == true)
        process.clientsMadeLately = 20
        #expect(Diagnosis([incident.report], process).first.kind == .healthy)
    }

    @Test("What is over is remembered")
    func past() throws {
        let incident = try Incident()
        incident.usual("a")
        incident.pass(80)
        for _ in 0..<10 {
            incident.fail("a")
            incident.pass(1)
        }
        _ = incident.diagnosis
        incident.usual("a", minutes: 2)
        let diagnosis = incident.diagnosis
        #expect(diagnosis.first.kind == .healthy, "\(diagnosis.verdicts.map(\.headline))")
        #expect(diagnosis.past.map(\.kind) == [.upstreamDown])
        #expect(incident.page.contains("UPSTREAM DOWN for"))
    }

    @Test("Of two pools, the worse finding is first, and of equal ones that with the longer queue")
    func order() throws {
        func saturated(_ name: String, _ queued: Int) throws -> PoolReport {
            let incident = try Incident(name) { $0.limits.maxConnections = 1 }
            _ = incident.hang("a")
            for _ in 0..<queued {
                let request = incident.submit("a")
                incident.recorder.record { $0.queued(request, behind: .connections) }
            }
            incident.pass(2)
            return incident.report
        }
        let reports = [try saturated("short", 1), try saturated("long", 7)]
        let incident = try Incident("leaking")
        let request = incident.hang("b")
        incident.recorder.record {
            $0.responseHead(request)
            $0.waitingFor(.caller, request)
        }
        incident.pass(70)
        let diagnosis = Diagnosis([incident.report] + reports, incident.process)
        #expect(diagnosis.verdicts.map(\.pool) == ["long", "short", "leaking"])
    }
}

@Suite("The text of the pages")
struct PageTextTests {
    @Test("Names are never cut, no line has trailing blanks, and no line but that of a name is wider than 80 columns")
    func widths() throws {
        let host = "a-very-long-name-of-a-service-in-production." + String(repeating: "x", count: 60) + ".cluster.local"
        let incident = try Incident { $0.limits.maxConnectionsPerOrigin = 1 }
        incident.usual(host, minutes: 1)
        _ = incident.hang(host, "a call site with quite a long name that does not fit its column")
        for _ in 0..<3 {
            let request = incident.submit(host)
            incident.recorder.record { $0.queued(request, behind: .connectionsPerOrigin) }
        }
        incident.pass(3)
        let pages = [
            incident.page, PoolText.page(incident.report, incident.process),
            RequestsText.leases([incident.report], incident.process, PageQuery()),
            RequestsText.queue([incident.report], incident.process, PageQuery()),
            EventsText.page([incident.report], incident.process, incident.diagnosis, PageQuery()),
            ConfigText.page([incident.report], incident.process),
        ]
        for page in pages {
            #expect(page.hasSuffix("\n") && !page.hasSuffix("\n\n"))
            for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
                #expect(!line.hasSuffix(" "), "\(line)")
                #expect(
                    String(line).columns <= 80 || line.contains("xxxx") || line.contains("a call site with"),
                    "\(line)"
                )
            }
        }
        #expect(incident.page.contains("https://\(host):443"))
        #expect(
            incident.page.hasPrefix(
                "SATURATED for 3.0 s: 1 upstream is at its limit of 1 connection\n  https://\(host):443\n"
            )
        )
        #expect(incident.page.hasSuffix("SATURATED for 3.0 s, pool shared\n"))
    }

    @Test("Characters that would move a cursor do not reach a page")
    func control() throws {
        let incident = try Incident()
        _ = incident.hang("a", CallSite("red\u{1B}[31m"))
        incident.pass(1)
        #expect(!incident.page.contains("\u{1B}"))
        #expect(!RequestsText.leases([incident.report], incident.process, PageQuery()).contains("\u{1B}"))
    }

    @Test(
        "Durations, counts and rates in words",
        arguments: [
            (0.0004, "0 ms"), (0.012, "12 ms"), (0.9994, "999 ms"), (0.9996, "1.0 s"), (4.94, "4.9 s"),
            (59.94, "59.9 s"),
            (60, "1 min"), (250, "4 min 10 s"), (8400, "2 h 20 min"), (518_400, "6 d"),
        ]
    )
    func durations(_ seconds: Double, _ text: String) {
        #expect(Phrase.duration(seconds) == text)
        #expect(Phrase.count(1_234_567) == "1,234,567" && Phrase.count(-12) == "-12")
        #expect(Phrase.rate(0.04) == "<0.1" && Phrase.rate(1234.56) == "1,234.6")
        #expect(Phrase.share(0.9999) == "99.9 %")
    }

    @Test(
        "Dates are those of the calendar",
        arguments: [
            (0.0, "1970-01-01", "00:00:00"), (951_782_400, "2000-02-29", "00:00:00"),
            (1_795_662_761, "2026-11-26", "03:12:41"),
            (4_102_444_799, "2099-12-31", "23:59:59"),
        ]
    )
    func dates(_ seconds: Double, _ day: String, _ time: String) {
        let date = UTCDate(secondsSince1970: seconds)
        #expect(date.day == day && date.time == time)
    }

    @Test("A query narrows the lists, and nonsense in it is ignored")
    func query() throws {
        let incident = try Incident()
        _ = incident.hang("a", "one")
        incident.pass(5)
        _ = incident.hang("b", "two")
        incident.pass(1)
        func sites(_ target: String) -> [String] {
            RequestList(leases: true, [incident.report], PageQuery(target: target)).items.map(\.request.site)
        }
        #expect(sites("/leases") == ["one", "two"])
        #expect(sites("/leases?site=tw") == ["two"])
        #expect(sites("/leases?origin=https%3A%2F%2Fa") == ["one"])
        #expect(sites("/leases?min_age=5") == ["one"])
        #expect(sites("/leases?min_age=1min") == [])
        #expect(sites("/leases?limit=1") == ["one"])
        #expect(sites("/leases?limit=-1&min_age=x&site&=&%zz=1&format=xml") == ["one", "two"])
    }

    @Test("A chart's lowest bar is zero, its second lowest anything above, and a blank is what is not known")
    func sparkline() {
        #expect(Sparkline.text([0, 0.1, 50, 100, 200, nil], top: 100, isPlain: false) == "▁▂▅██ ")
        #expect(Sparkline.text([0, 0.1, 100, nil], top: 100, isPlain: true) == "_.# ")
        #expect(Sparkline.text([0, 3], top: 0, isPlain: true) == "__")
    }
}
