import Configuration
import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import LoopbackUpstream
@testable import PoolScopeTool

@Suite("The tool: what it decides")
struct ToolDecisionTests {
    @Test("The same seed makes the same mix")
    func theSameSeedMakesTheSameMix() {
        func picks(seed: UInt64) -> [UpstreamPath] {
            var random = SplitMix64(seed: seed)
            return (0..<200).map { _ in UpstreamAnswer.everyday.pick(using: &random) }
        }
        #expect(picks(seed: 7) == picks(seed: 7))
        #expect(picks(seed: 7) != picks(seed: 8))
    }

    @Test("A mix follows its weights")
    func aMixFollowsItsWeights() {
        let mix = Mix<String>([
            (weight: 3, element: "often"), (weight: 1, element: "seldom"), (weight: 0, element: "never"),
        ])
        var random = SplitMix64(seed: 1)
        let picks = (0..<4000).map { _ in mix.pick(using: &random) }
        let often = picks.count { $0 == "often" }
        #expect((2850...3150).contains(often))
        #expect(!picks.contains("never"))
    }

    @Test("The mix never contains a request that hangs")
    func theMixNeverHangs() {
        var random = SplitMix64(seed: 3)
        let answers = (0..<5000).map { _ in UpstreamAnswer(to: .mix, query: "", using: &random) }
        #expect(!answers.contains(.hang))
        #expect(answers.contains(.reset))
    }

    @Test(
        "/slow takes its delay from the query",
        arguments: [
            ("ms=5", 5), ("x=1&ms=7", 7), ("ms=0", 0),
        ]
    )
    func slowTakesItsDelayFromTheQuery(query: String, delay: Int64) {
        var random = SplitMix64(seed: 1)
        let answer = UpstreamAnswer(to: .slow, query: query[...], using: &random)
        #expect(answer == .whole(status: 200, .json, afterMilliseconds: delay))
    }

    @Test(
        "/slow uses its own delay where the query has none that is valid",
        arguments: ["ms=-1", "ms=", "ms=abc", "ms", "ms=99999999999999999999"]
    )
    func slowFallsBackToItsOwnDelay(query: String) {
        var random = SplitMix64(seed: 1)
        guard case .whole(_, _, let delay, _) = UpstreamAnswer(to: .slow, query: query[...], using: &random) else {
            Issue.record("not a whole answer")
            return
        }
        #expect((20...250).contains(delay))
    }

    @Test("The workload uses every call site")
    func theWorkloadUsesEveryCallSite() {
        let workload = Workload(upstream: "127.0.0.1:1")
        var random = SplitMix64(seed: 1)
        let calls = (0..<2000).map { workload.call(number: $0, using: &random) }
        #expect(Set(calls.map(\.site)) == [.toolCalls, .tokenExchange, .discovery, .catalog, .peers])
        #expect(!calls.contains { $0.request.path == "/hang" })
    }

    @Test("Targets are driven in turn")
    func targetsAreDrivenInTurn() throws {
        let workload = try Workload(targets: [Target("http://a:1/x?q=1"), Target("https://b")])
        var random = SplitMix64(seed: 1)
        let requests = (0..<4).map { workload.call(number: $0, using: &random).request }
        #expect(requests.map(\.authority) == ["a:1", "b", "a:1", "b"])
        #expect(requests.map(\.path) == ["/x?q=1", "/", "/x?q=1", "/"])
        #expect(requests.map(\.scheme) == ["http", "https", "http", "https"])
        #expect(requests.allSatisfy { $0.method == .get })
    }

    @Test(
        "A target that is not valid is refused without being repeated",
        arguments: [
            "ftp://host/", "host", "/path", "http://", "http://user:sesame@host/", "http://host:0/?key=sesame",
            "http://host:99999/", "http://ho st/?key=sesame",
        ]
    )
    func aBadTargetIsRefusedWithoutBeingRepeated(text: String) {
        let error = #expect(throws: TargetError.self) { try Target(text) }
        #expect(error?.description.contains("sesame") == false)
    }

    @Test("A target that is not valid is named by its number")
    func aBadTargetIsNamedByItsNumber() {
        let texts = ["http://good/", "http://user:sesame@bad/?key=sesame"]
        let error = #expect(throws: TargetError.self) { try Target.all(texts) }
        #expect(error?.description.hasPrefix("--target number 2: ") == true)
        #expect(error?.description.contains("sesame") == false)
    }

    @Test("Every problem of both configurations is reported at once")
    func everyProblemOfBothConfigurationsIsToldAtOnce() {
        let variables = ["HTTP_CLIENT_MAX_CONNECTIONS": "0", "HTTP_CLIENT_METRICS_PORT": "http"]
        let error = #expect(throws: ConfigurationError.self) { try Settings(variables: variables) }
        #expect(error?.problems.map(\.name) == ["HTTP_CLIENT_MAX_CONNECTIONS", "HTTP_CLIENT_METRICS_PORT"])
    }

    @Test("The configuration is shown with its sources")
    func theConfigurationIsShownWithItsSources() throws {
        let rows = try Settings(variables: ["HTTP_CLIENT_TIMEOUT": "5", "HTTP_CLIENT_METRICS_PORT": "9999"]).rows
        #expect(rows.count == PoolSetting.all.count + PoolSetting.endpoint.count)
        #expect(rows.contains(["read_timeout_seconds", "5.0 s", "environment", "HTTP_CLIENT_TIMEOUT"]))
        #expect(rows.contains(["max_connections", "200", "default", "HTTP_CLIENT_MAX_CONNECTIONS"]))
        #expect(rows.contains(["metrics_host", "127.0.0.1", "default", "HTTP_CLIENT_METRICS_HOST"]))
        #expect(rows.contains(["metrics_port", "9999", "environment", "HTTP_CLIENT_METRICS_PORT"]))
    }

    @Test("The environment takes precedence over the file, and each is named as a source")
    func theEnvironmentWinsOverTheFileAndEachIsNamed() throws {
        let file = InMemoryProvider(values: [
            "httpClient.maxConnections": 50, "httpClient.maxQueued": 5, "httpClient.metricsPort": 9000,
            "httpClient.proxy": "http://user:sesame@p:1",
        ])
        let rows = try Settings(variables: ["HTTP_CLIENT_MAX_CONNECTIONS": "9"], file: file).rows
        #expect(rows.contains(["max_connections", "9", "environment", "HTTP_CLIENT_MAX_CONNECTIONS"]))
        #expect(rows.contains(["max_queued_requests", "5", "provider", "httpClient.maxQueued (InMemoryProvider[])"]))
        #expect(rows.contains(["metrics_port", "9000", "provider", "httpClient.metricsPort (InMemoryProvider[])"]))
        #expect(rows.contains(["proxy", "http://(hidden)@p:1", "provider", "httpClient.proxy (InMemoryProvider[])"]))
        #expect(rows.contains(["read_timeout_seconds", "30.0 s", "default", "HTTP_CLIENT_READ_TIMEOUT"]))

        let wrong = InMemoryProvider(values: ["httpClient.maxQueued": -1, "httpClient.metricsPort": 70000])
        let error = #expect(throws: ConfigurationError.self) {
            try Settings(variables: ["HTTP_CLIENT_MAX_CONNECTIONS": "0"], file: wrong)
        }
        let names = ["HTTP_CLIENT_MAX_CONNECTIONS", "httpClient.maxQueued", "httpClient.metricsPort"]
        #expect(error?.problems.map(\.name) == names)
    }

    @Test("Columns are aligned")
    func columnsAreAligned() {
        #expect(Columns.aligned([["a", "1", "x"], ["long", "22", "y"]]) == "a     1   x\nlong  22  y")
    }

    @Test("The live line shows the rate since the line before")
    func theLiveLineShowsTheRateSinceTheLineBefore() {
        var pools = PoolTotals()
        pools.active = 3
        pools.idle = 2
        pools.inFlight = 3
        pools.queued = 1
        var line = LiveLine()
        let first = line.text(for: LiveSample(elapsed: .seconds(1), requests: 100, errors: 0, pools: pools))
        #expect(first == "   1 s     100/s  in flight 3  queued 1  active 3  idle 2  reuse -  errors 0")
        pools.acquires = 400
        pools.acquiresNew = 5
        let second = line.text(for: LiveSample(elapsed: .seconds(3), requests: 400, errors: 4, pools: pools))
        #expect(second == "   3 s     150/s  in flight 3  queued 1  active 3  idle 2  reuse 0.987  errors 4")
    }

    @Test("The live line fits any terminal, and keeps what matters most", arguments: [1, 20, 40, 60, 79, 80, 81, 200])
    func theLiveLineFits(columns: Int) {
        var pools = PoolTotals()
        pools.active = 10_000
        pools.idle = 10_000
        pools.inFlight = 100_000
        pools.queued = 100_000
        pools.acquires = 400_000_000
        pools.acquiresNew = 5
        var line = LiveLine()
        let sample = LiveSample(elapsed: .seconds(86_400), requests: 4_000_000_000, errors: 123_456, pools: pools)
        let text = line.text(for: sample, columns: columns)
        #expect(text.count < columns)
        #expect(text.contains("queued 100000") == (columns >= 60))
        #expect(text.contains("errors 123456") == (columns >= 40))
        #expect(text.contains("reuse") == (columns > 81))
    }

    @Test("The failure of a load and its summary carry the cause of each error")
    func errorsCarryTheirCause() throws {
        var tally = LoadTally()
        let error = PoolError(
            .connectFailed,
            "Connection refused",
            origin: try Origin(scheme: "http", authority: "127.0.0.1:1"),
            phase: .connect,
            elapsed: .seconds(1)
        )
        tally.note(LoadOutcome(error), after: .zero)
        tally.note(LoadOutcome(CancellationError()), after: .zero)
        let cause = "connectFailed 1, the last: http://127.0.0.1:1: Connection refused"
        #expect(tally.failure == "every request failed (cancelled 1; \(cause))")
        let text = Summary(clients: "x", tally: tally, pools: PoolTotals(), poolsCreated: 0).text
        #expect(text.contains(/error connectFailed +1, the last: http:\/\/127\.0\.0\.1:1: Connection refused/))
        #expect(text.contains(/error cancelled +1(\n|$)/))
    }

    @Test("A server's error is a response, and a pool's error is an error")
    func aServersErrorIsAnAnswerAndAPoolsErrorIsAnError() {
        var tally = LoadTally()
        tally.note(.answer(status: 200), after: .milliseconds(2))
        tally.note(.answer(status: 503), after: .milliseconds(4))
        tally.note(LoadOutcome(PoolError(.acquireTimeout, "full", phase: .acquire)), after: .seconds(30))
        tally.noteEnd(after: .seconds(2))
        #expect(tally.requestCount == 3)
        #expect(tally.errorCount == 1)
        var pools = PoolTotals()
        pools.acquires = 2
        pools.acquiresNew = 1
        pools.connectionsOpened = 1
        let text = Summary(clients: "one, shared", tally: tally, pools: pools, poolsCreated: 1).text
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("clients one, shared"))
        #expect(lines.contains("requests 3 (1.5/s)"))
        #expect(lines.contains("responses 2xx 1"))
        #expect(lines.contains("responses 5xx 1"))
        #expect(lines.contains("errors 1"))
        #expect(lines.contains("error acquireTimeout 1, the last: full"))
        #expect(lines.contains("reuse ratio 0.500"))
        #expect(lines.contains("connections opened 1"))
        // The histogram keeps three digits, so the longest answer is 4 ms give or take a thousandth.
        #expect(lines.contains { $0.hasPrefix("latency max 4.00") })
    }

    @Test("Summaries of different runs have the same rows")
    func summariesOfDifferentRunsHaveTheSameRows() {
        func labels(_ tally: LoadTally) -> [String] {
            Summary(clients: "x", tally: tally, pools: PoolTotals(), poolsCreated: 0).text
                .split(separator: "\n").map { $0.components(separatedBy: "  ")[0] }
        }
        var busy = LoadTally()
        busy.note(.answer(status: 200), after: .milliseconds(2))
        #expect(labels(LoadTally()) == labels(busy))
        #expect(labels(busy).last == "pools created")
        busy.note(.error(code: "queueFull"), after: .zero)
        #expect(labels(busy).dropLast() == labels(LoadTally())[...])
    }

    @Test("A pace with a rate has due moments of its own")
    func aPaceWithARateHasDueMomentsOfItsOwn() async throws {
        let pace = LoadPace(rate: 1000, duration: .milliseconds(20))
        var turns: [(number: UInt64, due: ContinuousClock.Instant)] = []
        while let turn = await pace.next() { turns.append(turn) }
        #expect(turns.map(\.number) == Array(0..<UInt64(turns.count)))
        let first = try #require(turns.first)
        #expect(turns.allSatisfy { first.due.duration(to: $0.due) == .seconds(Double($0.number) / 1000) })
        #expect(turns.count <= 20)
    }

    @Test("A pace ends when its task is cancelled")
    func aPaceEndsWhenItsTaskIsCancelled() async {
        let task = Task {
            let pace = LoadPace(rate: 0.001, duration: nil)
            var count = 0
            while await pace.next() != nil { count += 1 }
            return count
        }
        task.cancel()
        #expect(await task.value <= 1)
    }
}
