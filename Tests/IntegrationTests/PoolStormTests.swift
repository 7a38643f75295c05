import CurlPool
import Foundation
import HTTPPool
import HTTPTypes
import Logging
import LoopbackUpstream
import PoolEndpoint
import PoolMetrics
import TestSupport
import Testing

/// A storm of requests, cancellations, timeouts, resets and restarts of the upstream, while the endpoint is scraped as
/// fast as it answers. `STORM_SECONDS` makes it longer.
@Suite("Storm", .serialized)
struct PoolStormTests {
    private static let seconds = ProcessInfo.processInfo.environment["STORM_SECONDS"].flatMap(Double.init) ?? 8
    /// A short storm goes on until it was looked at this often.
    private static let scrapesAtLeast = seconds > 8 ? 1 : 2_000

    @Test("Every scrape keeps every invariant, no answer goes to the wrong request, and nothing is left at the end")
    func storm() async throws {
        let upstreams = [LoopbackUpstream(seed: 1), LoopbackUpstream(seed: 2)]
        for upstream in upstreams { try await upstream.start() }
        let refusing = try RefusingPort()
        let registry = PoolRegistry()
        let client = try InstrumentedClient(CurlClient(Self.configuration), name: "storm", registry: registry)
        let logger = Logger(label: "storm", factory: { _ in SwiftLogNoOpLogHandler() })
        let endpoint = MetricsEndpoint(
            EndpointConfiguration(host: "127.0.0.1", port: 0),
            registry: registry,
            logger: logger
        )
        let address = try await endpoint.start()
        let account = StormAccount()

        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<48 {
                group.addTask {
                    let authorities = upstreams.map(\.authority) + [refusing.authority]
                    var storm = StormWorker(
                        seed: UInt64(worker),
                        client: client,
                        authorities: authorities,
                        account: account
                    )
                    while !account.isOver { await storm.send() }
                }
            }
            group.addTask {
                while !account.isOver {
                    try await Task.sleep(for: .milliseconds(400))
                    try await upstreams[1].restart()
                }
            }
            group.addTask {
                defer { account.end() }
                let pool = try CurlClient()
                var scraper = Scraper(of: "\(address)", through: pool, account: account)
                let end = ContinuousClock.now + .seconds(Self.seconds)
                while ContinuousClock.now < end || scraper.scrapes < Self.scrapesAtLeast {
                    if let broken = try await scraper.scrape() {
                        Issue.record("\(broken)")
                        break
                    }
                    guard scraper.scrapes % 50 == 0 else { continue }
                    let readings = registry.readings()
                    let text = try ExpositionReader(Exposition.render(readings, process: nil, as: .text))
                    let bytes = Exposition.render(readings, process: nil, as: .openMetrics)
                    let openMetrics = try ExpositionReader(bytes, as: .openMetrics)
                    #expect(ExpositionChecker.difference(text: text, openMetrics: openMetrics) == [])
                }
                await pool.shutdown()
                print("storm: \(scraper.scrapes) scrapes, \(account.summary)")
            }
            try await group.waitForAll()
        }

        #expect(account.wrongAnswers == 0)
        // A storm in which everything fails, or nothing does, shows nothing.
        for outcome in ["200", "500", "cancelled", "acquireTimeout", "readTimeout", "connectFailed", "connectionLost"] {
            #expect(account.count(of: outcome) > 0, "\(outcome): \(account.summary)")
        }
        #expect(account.count(of: "200") > account.finished / 10, "\(account.summary)")
        // At rest: everything begun has ended, in the numbers as in the tasks, and the kernel agrees.
        let reading = client.reading()
        #expect(reading.levels.requests == RequestLevels())
        #expect(reading.levels.connections.active == 0)
        let begun = reading.origins.reduce(0) { $0 + $1.acquires.total + $1.acquireFailures.total }
        let retries = reading.origins.reduce(0) { $0 + $1.staleRetries }
        // A request whose task is cancelled before the client has it was never begun.
        #expect(begun <= UInt64(account.started) + retries)
        #expect(begun >= UInt64(account.started - account.cancelled) + retries)
        for upstream in upstreams {
            let port = UInt16(upstream.port)
            try await eventually("the kernel counts what is shown") {
                let label = "http://\(upstream.authority)"
                let shown = client.reading().origins.first { $0.label == label }?.levels.connections
                let kernel = try KernelSockets()
                return kernel.count(.established, to: port) == shown?.idle && kernel.count(.closeWait, to: port) == 0
            }
        }
        await client.shutdown()
        #expect(client.reading().levels == OriginLevels())
        for upstream in upstreams { await upstream.stop() }
        withExtendedLifetime(refusing) {}
        await endpoint.stop()
    }

    private static var configuration: PoolConfiguration {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 12
        configuration.limits.maxConnectionsPerOrigin = 8
        configuration.limits.maxIdleConnections = 5
        configuration.limits.maxQueuedRequests = 30
        configuration.limits.keepaliveExpiry = .milliseconds(100)
        configuration.timeouts.acquire = .milliseconds(60)
        configuration.timeouts.read = .milliseconds(120)
        return configuration
    }
}

/// One of those who send.
private struct StormWorker {
    private var random: SplitMix64
    private let client: InstrumentedClient
    private let authorities: [String]
    private let account: StormAccount
    private let sites = ["tool calls", "token exchange", "discovery"].map { CallSite($0) }
    private static let token = HTTPField.Name("x-token")

    init(seed: UInt64, client: InstrumentedClient, authorities: [String], account: StormAccount) {
        random = SplitMix64(seed: seed)
        self.client = client
        self.authorities = authorities
        self.account = account
    }

    /// Sends one request of some kind and sees it to its end.
    mutating func send() async {
        let paths = [
            "/fast", "/fast", "/fast", "/slow?ms=5", "/slow?ms=30", "/large?bytes=200000", "/error", "/close", "/reset",
            "/drop", "/hang", "/echo",
        ]
        let path = paths.randomElement(using: &random) ?? "/fast"
        let isDead = Int.random(in: 0..<20, using: &random) == 0
        let authority = isDead ? authorities[2] : authorities[Int.random(in: 0..<2, using: &random)]
        let token = "t\(random.next())"
        let isPost = path == "/echo"
        var request = HTTPRequest(method: isPost ? .post : .get, scheme: "http", authority: authority, path: path)
        if let name = Self.token { request.headerFields[name] = token }
        let body: HTTPRequestBody = isPost ? .text(token) : .none
        let options = RequestOptions(site: sites.randomElement(using: &random) ?? .unattributed)
        let cancelsAfter = Int.random(in: 0..<8, using: &random) == 0 ? Int.random(in: 0..<8_000, using: &random) : nil

        account.begin()
        let task = Task { [client, request] in
            let response = try await client.execute(request, body: body, options: options)
            return (response, String(decoding: try await response.body.collect(), as: UTF8.self))
        }
        if let cancelsAfter {
            try? await Task.sleep(for: .microseconds(cancelsAfter))
            task.cancel()
        }
        do {
            // An answer of which only the beginning came is none.
            let (response, text) = try await task.value
            // Every answer carries the token of its own request.
            let isRight = Self.token.map { response.head.headerFields[$0] } == token && (!isPost || text == token)
            account.finish("\(response.status.code)", isWrong: !isRight)
        } catch let error as PoolError {
            account.finish("\(error.code)", isWrong: false)
            // Who is refused at once and asks again at once would do nothing else.
            if error.code == .queueFull { try? await Task.sleep(for: .milliseconds(10)) }
        } catch {
            account.finish("cancelled", isWrong: false)
        }
    }
}
