import Foundation
import TestSupport
import Testing

@testable import PoolPages
@testable import PoolScopeTool

@Suite("poolscope check: what it reports")
struct CheckReportTests {
    private func page(_ text: String) throws -> StatusPage {
        try StatusFrame.decode(StatusPage.self, "status", Array(text.utf8))
    }

    @Test("The tool reads the version that the endpoint writes")
    func version() { #expect(StatusFrame.knownVersion == StatusJSON.version) }

    @Test(
        "Every verdict has the status of its severity, and its headline in the first line",
        arguments: VerdictKind.allCases
    )
    func kinds(kind: VerdictKind) throws {
        let cases: [(VerdictSeverity, CheckReport.Status, String)] = [
            (.ok, .ok, "OK"), (.warning, .warning, "WARNING"), (.critical, .critical, "CRITICAL"),
        ]
        for (severity, status, word) in cases {
            let verdict = StatusPages.verdict(kind, severity, "something is found")
            let report = CheckReport(try page(StatusPages.status([verdict], severity)))
            #expect(report.status == status)
            #expect(report.lines.first == "\(word) - \(kind.word) for 4 min 10 s: something is found")
            #expect(report.lines.dropFirst().first == "upstream https://catalog:443")
        }
    }

    @Test("The words are those of the worst verdict, also where a milder one comes first")
    func worst() throws {
        let mild = StatusPages.verdict(.stalled, .warning, "mild")
        let bad = StatusPages.verdict(.noReuse, .critical, "bad")
        let report = CheckReport(try page(StatusPages.status([mild, bad], .critical)))
        #expect(report.status == .critical)
        #expect(report.lines.first == "CRITICAL - NO REUSE for 4 min 10 s: bad")
    }

    @Test("The numbers are in the format of a monitor, summed over the pools that live")
    func numbers() throws {
        let report = CheckReport(try page(StatusPages.saturated()))
        #expect(
            report.lines == [
                "CRITICAL - SATURATED for 4 min 10 s: 1 upstream is at its limit of 10 connections",
                "upstream https://catalog:443",
                "59 requests are queued for it, the oldest for 4.9 s; 10.0 a second give up.",
                "| active=12;;;0;100 idle=10;;;0;100 queued=60;;;0; oldest_queued=4.900s;;;0; limit=100;;;0;",
            ]
        )
    }

    @Test("A number that one of the pools does not know is unknown to the monitor")
    func unknownNumbers() throws {
        let text = StatusPages.saturated().replacing(#""active": 0, "idle": 5"#, with: #""active": null, "idle": null"#)
        let report = CheckReport(try page(text))
        #expect(report.lines.last?.hasPrefix("| active=U;;;0;100 idle=U;;;0;100 queued=60;;;0; ") == true)
    }

    @Test("All verdicts with their evidence are printed when that is asked for")
    func verbose() throws {
        let lines = CheckReport(try page(StatusPages.saturated()), isVerbose: true).lines
        #expect(lines.contains("cause: The upstream is slow."))
        #expect(lines.contains("do first: Find out why."))
        #expect(lines.contains("RELOAD FAILED: the file is not valid"))
        #expect(lines.count { $0.contains("SATURATED") } == 1)
    }

    @Test(
        "Only the verdicts of the pool that is asked for count",
        arguments: [
            (
                "shared", CheckReport.Status.critical,
                "CRITICAL - SATURATED for 4 min 10 s: 1 upstream is at its limit of 10 connections"
            ),
            ("second", .warning, "WARNING - RELOAD FAILED: the file is not valid"),
            ("past", .unknown, "UNKNOWN - pool past was shut down"),
            ("other", .unknown, "UNKNOWN - there is no pool other"),
        ]
    )
    func pool(name: String, status: CheckReport.Status, line: String) throws {
        let report = CheckReport(try page(StatusPages.saturated()), pool: name)
        #expect(report.status == status)
        #expect(report.lines.first == line)
    }

    @Test("A severity that is not known is not taken for a good one")
    func unknownSeverity() throws {
        let report = CheckReport(try page(StatusPages.saturated(severity: "fatal")))
        #expect(report.status == .unknown)
        #expect(report.lines.count == 1)
    }

    @Test("Neither a line break nor a bar of the page changes what a monitor reads")
    func hostileText() throws {
        let verdict = StatusPages.verdict(.stalled, .critical, "a\nOK - b | active=1\u{1B}[2J")
        let report = CheckReport(try page(StatusPages.status([verdict], .critical)))
        #expect(report.lines.first == "CRITICAL - STALLED for 4 min 10 s: a?OK - b / active=1?[2J")
        #expect(report.text.count { $0 == "|" } == 1)
    }
}

@Suite("poolscope check: addresses")
struct StatusAddressTests {
    @Test(
        "An address is a host with a port, a URL, or a Unix domain socket",
        arguments: [
            ("localhost", "http", "localhost:9464", "", "localhost:9464"),
            ("10.0.0.1:80", "http", "10.0.0.1:80", "", "10.0.0.1:80"),
            ("[::1]", "http", "[::1]:9464", "", "[::1]:9464"), ("[::1]:81/", "http", "[::1]:81", "", "[::1]:81"),
            ("http://a:1/b/?format=json", "http", "a:1", "/b", "a:1"), ("https://a", "https", "a", "", "https://a:443"),
            ("unix:/run/a b.sock", "http+unix", "%2F%72%75%6E%2F%61%20%62%2E%73%6F%63%6B", "", "unix:/run/a b.sock"),
        ]
    )
    func forms(text: String, scheme: String, authority: String, prefix: String, name: String) throws {
        let address = try StatusAddress(text)
        #expect(address.scheme == scheme)
        #expect(address.authority == authority)
        #expect(address.prefix == prefix)
        #expect(address.name == name)
    }

    @Test(
        "An address that is not valid is refused without being repeated",
        arguments: [
            "http://user:sesame@host/", "user:sesame@host:9464", "sesame@host", "ftp://sesame/", "http://", "",
            "unix:sesame",
            "host:sesame", "http://host:0/?key=sesame", "unix:/\(String(repeating: "sesame", count: 30))",
        ]
    )
    func refused(text: String) {
        let error = #expect(throws: TargetError.self) { try StatusAddress(text) }
        #expect(error?.description.contains("sesame") == false)
    }

    @Test("Without an address it is that of the environment, and without one there it is the default")
    func environment() throws {
        #expect(try StatusAddress(environment: [:]).name == "127.0.0.1:9464")
        #expect(try StatusAddress(environment: ["HTTP_CLIENT_METRICS_PORT": "81"]).name == "127.0.0.1:81")
        #expect(try StatusAddress(environment: ["HTTP_CLIENT_METRICS_HOST": "10.1.1.1, ::1"]).name == "10.1.1.1:9464")
        #expect(try StatusAddress(environment: ["HTTP_CLIENT_METRICS_HOST": "::"]).name == "[::1]:9464")
        #expect(try StatusAddress(environment: ["HTTP_CLIENT_METRICS_HOST": "0.0.0.0"]).name == "127.0.0.1:9464")
        let socket = ["HTTP_CLIENT_METRICS_SOCKET": "/run/a", "HTTP_CLIENT_METRICS_PORT": "81"]
        #expect(try StatusAddress(environment: socket).name == "unix:/run/a")
    }
}

@Suite("poolscope check: the program")
struct CheckCommandTests {
    private func check(_ arguments: String..., variables: [String: String] = [:]) async throws -> ProgramResult {
        try await Tool.run(["check"] + arguments, variables)
    }

    private func expect(
        _ result: ProgramResult,
        _ status: Int32,
        _ start: String,
        here: SourceLocation = #_sourceLocation
    ) {
        #expect(result.status == status, "\(result.output)\(result.errors)", sourceLocation: here)
        #expect(result.output.hasPrefix(start), "\(result.output)\(result.errors)", sourceLocation: here)
        #expect(result.errors == "", sourceLocation: here)
    }

    @Test("exits with the status of the page")
    func statuses() async throws {
        let cases: [(VerdictSeverity, String)] = [(.ok, "OK - "), (.warning, "WARNING - "), (.critical, "CRITICAL - ")]
        for (severity, word) in cases {
            let verdict = StatusPages.verdict(.noReuse, severity, "x")
            let peer = try StatusPages.server(StatusPages.status([verdict], severity))
            expect(try await check(peer.authority), severity.rawValue, "\(word)NO REUSE for 4 min 10 s: x\n")
        }
    }

    @Test("asks the endpoint of a running pool, also through its socket and with the variables of its environment")
    func realEndpoint() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let socket = folder.appendingPathComponent("s").path
        let variables = ["HTTP_CLIENT_METRICS_SOCKET": socket, "HTTP_CLIENT_METRICS_PORT": "0"]
        let run = try Tool.start(["run", "--rate", "20", "--concurrency", "4"], variables)
        try await eventually("it serves: \(run.errors)") { ToolReport(run.output)["status"] != nil }
        let url = try #require(ToolReport(run.output)["status"])
        let pattern =
            /(OK|WARNING|CRITICAL) - .*\n(.*\n)*\| active=\d+;;;0;200 idle=\d+;;;0;200 queued=\d+;;;0; oldest_queued=[0-9.]+s;;;0; limit=200;;;0;\n/
        for result in [
            try await check(url), try await check("unix:\(socket)"), try await check(url, "--pool", "shared"),
            try await check(variables: ["HTTP_CLIENT_METRICS_SOCKET": socket]),
        ] {
            #expect(result.output.wholeMatch(of: pattern) != nil, "\(result.output)\(result.errors)")
            #expect(result.status < 3)
        }
        expect(try await check(url, "--pool", "other"), 3, "UNKNOWN - there is no pool other\n")
        run.signal(SIGTERM)
        _ = try await run.end()
    }

    @Test("presents the first credentials of a file, and those of the environment only to its own endpoint")
    func credentials() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, socket) = (folder.appendingPathComponent("c").path, folder.appendingPathComponent("s").path)
        try "basic ops:s3cret word\nbearer other\n".write(toFile: file, atomically: true, encoding: .utf8)
        let own = ["HTTP_CLIENT_METRICS_SOCKET": socket, "HTTP_CLIENT_METRICS_CREDENTIALS_FILE": file]
        let run = try Tool.start(
            ["run", "--rate", "20", "--concurrency", "1"],
            own.merging(["HTTP_CLIENT_METRICS_PORT": "0"]) { $1 }
        )
        try await eventually("it serves: \(run.errors)") { ToolReport(run.output)["status"] != nil }
        let url = try #require(ToolReport(run.output)["status"])
        for result in [
            try await check(url, "--credentials-file", file), try await check(variables: own),
            try await check("unix:\(socket)", "--credentials-file", file),
        ] {
            #expect(result.status < 3, "\(result.output)\(result.errors)")
        }
        let refused = try await check(url, variables: own)
        #expect(refused.status == 3 && refused.output.hasSuffix(" responded with status 401\n"), "\(refused.output)")
        let missing = try await check(url, "--credentials-file", "/nowhere")
        expect(missing, 3, "UNKNOWN - /nowhere: No such file or directory\n")
        run.signal(SIGTERM)
        _ = try await run.end()
    }

    @Test("is unknown where nothing listens")
    func refused() async throws {
        let port = try RefusingPort()
        expect(try await check(port.authority), 3, "UNKNOWN - no response from \(port.authority): connectFailed: ")
        withExtendedLifetime(port) {}
    }

    @Test("is unknown where the server never responds")
    func hanging() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        let result = try await check(peer.authority, "--timeout", "0.3")
        expect(result, 3, "UNKNOWN - no response from \(peer.authority): ")
        #expect(result.output.contains("Timeout: "))
        #expect(peer.connections == 1)
    }

    @Test("says that the TLS handshake was not complete where the server accepts connections and never shakes hands")
    func silentHandshake() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        expect(
            try await check("https://\(peer.authority)", "--timeout", "0.3"),
            3,
            "UNKNOWN - no response from https://\(peer.authority): totalTimeout: "
                + "the TLS handshake was not complete within 0.3 s\n"
        )
        #expect(peer.connections == 1)
    }

    @Test("is unknown where the server sends byte by byte for ever")
    func dripping() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            // Slowly, so that the body is not complete before the timeout, while bytes keep arriving.
            while connection.write(" ") { usleep(20_000) }
        }
        expect(
            try await check(peer.authority, "--timeout", "0.5"),
            3,
            "UNKNOWN - no response from \(peer.authority): totalTimeout: "
        )
    }

    @Test("is unknown where the response has no end")
    func huge() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "10000\r\n" + String(repeating: " ", count: 1 << 16) + "\r\n"
            while connection.write(chunk) {}
        }
        expect(try await check(peer.authority), 3, "UNKNOWN - no response from \(peer.authority): responseTooLarge: ")
    }

    @Test("is unknown where the response is not a page that it can read, and repeats none of it")
    func notThePage() async throws {
        let cases = [
            ("sesame", "the response is not JSON of a PoolScope endpoint"),
            ("{\"sesame\": 1}", "the response is not JSON of a PoolScope endpoint"),
            (StatusPages.saturated(version: 2), "the page has version 2; this poolscope reads versions up to 1"),
            (StatusPages.saturated(schema: "sesame/status"), "the response has another schema than poolscope/status"),
            (
                "{\"schema\": \"poolscope/status\", \"version\": 1}",
                "the response lacks a key of poolscope/status, version 1"
            ),
            (String(repeating: "[", count: 100_000), "the response is not JSON of a PoolScope endpoint"),
        ]
        for (body, reason) in cases {
            let peer = try StatusPages.server(body)
            expect(try await check(peer.authority), 3, "UNKNOWN - \(reason)\n")
        }
    }

    @Test("follows no redirect")
    func redirect() async throws {
        let other = try StatusPages.server(StatusPages.saturated())
        let peer = try ScriptedPeer { connection, _ in
            _ = try connection.readRequest()
            connection.write("HTTP/1.1 302 Found\r\nLocation: http://\(other.authority)/\r\nContent-Length: 0\r\n\r\n")
        }
        expect(try await check(peer.authority), 3, "UNKNOWN - \(peer.authority) responded with status 302\n")
        #expect(other.connections == 0)
    }

    @Test("is unknown where its arguments are wrong, and does not repeat an address")
    func wrongArguments() async throws {
        let result = try await check("http://user:sesame@127.0.0.1/")
        expect(result, 3, "UNKNOWN - the address must not contain a user or a password\n")
        for arguments in [["http://a:sesame@b", "c"], ["--timeout", "0"], ["--what"]] {
            let result = try await Tool.run(["check"] + arguments)
            #expect(result.status == 3)
            #expect(!result.errors.contains("sesame"))
        }
    }
}
