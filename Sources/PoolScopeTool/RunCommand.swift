import ArgumentParser
import Configuration
import CurlPool
import Glibc
import HTTPPool
import Logging
import LoopbackUpstream
import PoolEndpoint
import PoolMetrics
import ServiceLifecycle
import SharedPool

/// `poolscope run`.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Put a pooled client under load and show its metrics.",
        discussion: """
            Without --target, requests go to a built-in upstream on loopback with fast, slow, large and failing responses. \
            The pool's limits and the endpoint's address are read from the environment, then from the --config file; see \
            'poolscope config'. At the end of the duration, and on SIGINT or SIGTERM, running requests may finish within the \
            grace period and are then cancelled; a second signal exits immediately. The status is 1 if requests were sent and \
            none of them had a response. The soft limit of open files is raised \
            to the hard limit.
            """
    )

    @Option(
        name: .customLong("target"),
        help: "A URL to send GET requests to. Repeat it for several URLs, which are used in turn."
    )
    var targets: [String] = []

    @Option(help: "The maximum number of concurrent requests.")
    var concurrency = 32

    @Option(help: "Requests per second. Without it, requests are sent back to back.")
    var rate: Double?

    @Option(help: "The duration in seconds. Without it, the load runs until a signal arrives.")
    var duration: Double?

    @Option(help: "The grace period for running requests at the end, in seconds.")
    var grace = 10.0

    @Flag(help: "Create a new client for every request, to show the cost of not sharing one.")
    var perRequestClients = false

    @OptionGroup var file: ConfigFileOption

    func validate() throws {
        guard (1...100_000).contains(concurrency) else {
            throw ValidationError("--concurrency must be from 1 to 100000")
        }
        if let rate, !(rate > 0 && rate <= 1_000_000) {
            throw ValidationError("--rate must be above 0 and at most 1000000")
        }
        if let duration, !(duration > 0 && duration <= 31_536_000) {
            throw ValidationError("--duration must be above 0 and at most 31536000 seconds")
        }
        guard grace >= 0 && grace <= 31_536_000 else {
            throw ValidationError("--grace must be from 0 to 31536000 seconds")
        }
        do { _ = try Target.all(targets) } catch { throw ValidationError(error.description) }
    }

    func run() async throws {
        OpenFileLimit.raise()
        let settings = try await Settings.read(file: file.config)
        var logger = Logger(label: "poolscope")
        logger.logLevel = .warning
        let console = Console()
        settings.warn(to: console)
        if targets.isEmpty { settings.warnOfUpstream(concurrency: concurrency, to: console) }

        let endpoint = MetricsEndpoint(settings.endpoint, logger: logger)
        let address = try await endpoint.start()
        let upstream = targets.isEmpty ? LoopbackUpstream() : nil
        try await upstream?.start()
        let shared = perRequestClients ? nil : try InstrumentedClient(CurlClient(settings.pool), name: "shared")
        let ledger = LoadLedger()
        let load = Load(
            workload: try upstream.map { Workload(upstream: $0.authority) } ?? Workload(targets: Target.all(targets)),
            clients: shared.map { .shared($0) } ?? .perRequest(settings.pool),
            concurrency: concurrency,
            pace: LoadPace(rate: rate, duration: duration.map { .seconds($0) }),
            grace: .seconds(grace),
            ledger: ledger,
            console: console
        ) {
            // Ends the run even if something does not stop.
            LastResort.arm(after: .seconds(grace) + Self.closingTime) {
                console.say(Summary(of: shared, ledger).text)
                _exit(EXIT_FAILURE)
            }
        }
        console.say("metrics  http://\(address)/metrics")
        console.say("status   http://\(address)/")

        let reload = shared.flatMap { client in file.config.map { Self.reload(client, settings.config, file: $0) } }
        try await Self.serve(endpoint: endpoint, client: shared, reload: reload, load: load, logger: logger)
        await upstream?.stop()
        console.say(Summary(of: shared, ledger).text)
        // A script that only looks at the status must not take this for a load.
        if let failure = ledger.read().failure {
            console.warn("Error: \(failure)")
            throw ExitCode.failure
        }
    }

    /// The time allowed after the grace period for closing connections, the endpoint and the upstream.
    private static let closingTime = Duration.seconds(5)

    /// Reloads with a logger at info level, to confirm the changes of the file.
    private static func reload(_ client: InstrumentedClient, _ config: ConfigReader, file: String) -> PoolReload {
        var logger = Logger(label: "poolscope")
        logger.logLevel = .info
        logger[metadataKey: "file"] = "\(file)"
        return PoolReload(client, config: config, interval: .seconds(5), logger: logger)
    }

    /// Runs until the load is over. The services then stop in reverse order, the endpoint last.
    private static func serve(
        endpoint: MetricsEndpoint,
        client: InstrumentedClient?,
        reload: PoolReload?,
        load: Load,
        logger: Logger
    ) async throws {
        typealias Entry = ServiceGroupConfiguration.ServiceConfiguration
        var services = [Entry(service: endpoint)]
        if let client { services.append(Entry(service: LoggedPool(client: client, logger: logger))) }
        if let reload { services.append(Entry(service: reload)) }
        services.append(Entry(service: load, successTerminationBehavior: .gracefullyShutdownGroup))
        services.append(Entry(service: endpoint.shutdownNotice))
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
        let signals = SignalWatch { Task { await group.triggerGracefulShutdown() } }
        defer { withExtendedLifetime(signals) {} }
        try await group.run()
    }
}

extension Summary {
    /// The summary of a finished load.
    fileprivate init(of shared: InstrumentedClient?, _ ledger: LoadLedger) {
        let tally = ledger.read()
        self.init(
            clients: shared == nil ? "one per request" : "one, shared",
            tally: tally,
            pools: shared.map { PoolTotals($0.reading()) } ?? tally.endedPools,
            poolsCreated: PoolCensus.counts.created
        )
    }
}

/// The pool with a logger at level warning: the summary has its totals.
private struct LoggedPool: Service {
    let client: InstrumentedClient
    let logger: Logger

    func run() async { await client.run(logger: logger) }
}
