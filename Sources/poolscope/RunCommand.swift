import ArgumentParser
import Configuration
import CurlPool
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
        abstract: "Put a pooled client under load and show its numbers.",
        discussion: """
            Without a target the load goes to an upstream of the tool's own on loopback, which is quick, slow, large and \
            failing by turns. The pool's limits and the endpoint's address come from the environment, then from the file \
            of --config; see 'poolscope config'. One SIGINT or SIGTERM drains, a second one ends at once.
            """
    )

    @Option(name: .customLong("target"), help: "A URL to send GET requests to. Several are driven in turn.")
    var targets: [String] = []

    @Option(help: "How many requests may run at once.")
    var concurrency = 32

    @Option(help: "Requests a second. Without it each follows the one before at once.")
    var rate: Double?

    @Option(help: "How many seconds to run. Without it until a signal comes.")
    var duration: Double?

    @Flag(help: "Do it the wrong way: a new client for every request.")
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
        do { _ = try Target.all(targets) } catch { throw ValidationError(error.description) }
    }

    func run() async throws {
        let settings = try await Settings.read(file: file.config)
        var logger = Logger(label: "poolscope")
        logger.logLevel = .warning
        let console = Console()

        let endpoint = MetricsEndpoint(settings.endpoint, logger: logger)
        let address = try await endpoint.start()
        let upstream = targets.isEmpty ? LoopbackUpstream() : nil
        try await upstream?.start()
        let shared = perRequestClients ? nil : try InstrumentedClient(CurlPool(settings.pool), name: "shared")
        let load = Load(
            workload: try upstream.map { Workload(upstream: $0.authority) } ?? Workload(targets: Target.all(targets)),
            clients: shared.map { .shared($0) } ?? .perRequest(settings.pool),
            concurrency: concurrency,
            pace: LoadPace(rate: rate, duration: duration.map { .seconds($0) }),
            ledger: LoadLedger(),
            console: console
        )
        console.say("metrics  http://\(address)/metrics")
        console.say("status   http://\(address)/")

        let reload = shared.flatMap { client in file.config.map { Self.reload(client, settings.config, file: $0) } }
        try await Self.serve(endpoint: endpoint, client: shared, reload: reload, load: load, logger: logger)
        await upstream?.stop()
        console.say(load.summary(of: shared).text)
    }

    /// What it says is for whoever changed the file, so it is heard from info on.
    private static func reload(_ client: InstrumentedClient, _ config: ConfigReader, file: String) -> PoolReload {
        var logger = Logger(label: "poolscope")
        logger.logLevel = .info
        logger[metadataKey: "file"] = "\(file)"
        return PoolReload(client, config: config, interval: .seconds(5), logger: logger)
    }

    /// Runs until the load is over. Then the others end in the reverse of their order: the endpoint is the last.
    private static func serve(
        endpoint: MetricsEndpoint,
        client: InstrumentedClient?,
        reload: PoolReload?,
        load: Load,
        logger: Logger
    ) async throws {
        typealias Entry = ServiceGroupConfiguration.ServiceConfiguration
        var services = [Entry(service: endpoint)]
        if let client { services.append(Entry(service: client)) }
        if let reload { services.append(Entry(service: reload)) }
        services.append(Entry(service: load, successTerminationBehavior: .gracefullyShutdownGroup))
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
        let signals = SignalWatch { Task { await group.triggerGracefulShutdown() } }
        defer { withExtendedLifetime(signals) {} }
        try await group.run()
    }
}

extension Load {
    /// The summary of a load that is over.
    fileprivate func summary(of shared: InstrumentedClient?) -> Summary {
        let tally = ledger.read()
        return Summary(
            clients: shared == nil ? "one per request" : "one, shared",
            tally: tally,
            pools: shared.map { PoolTotals($0.reading()) } ?? tally.endedPools,
            poolsCreated: PoolCensus.counts.created
        )
    }
}
