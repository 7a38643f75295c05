private import AsyncAlgorithms
public import Configuration
public import HTTPPool
public import Logging
public import PoolMetrics
public import ServiceLifecycle
private import UnixSignals

/// Keeps the limits and timeouts of a client that runs as a configuration says, whenever that changes.
///
/// ```swift
/// let file = try await ReloadingFileProvider<SettingsSnapshot>(filePath: "/etc/catalog/pool.json")
/// let config = ConfigReader(providers: [EnvironmentVariablesProvider(), file])
/// let client = try InstrumentedClient.shared(config: config)
/// let reload = PoolReload(client, config: config, logger: logger)
/// ```
///
/// In a service group list it after the client. It has the providers look for changes on SIGHUP and every few seconds, and
/// follows those that report them. The environment of a process never changes, so what it says stays; what the program set by
/// itself stays too. A configuration that is wrong, that has a key which is not a setting, or that wants another transport
/// changes nothing. A key that is gone puts its default in force, as a restart would, and is a warning.
public struct PoolReload: Service {
    private let pool: any ObservablePool
    private let config: ConfigReader
    private let interval: Duration
    private let logger: Logger

    /// Prepares it; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - client: the client whose pool is to follow the configuration.
    ///   - config: where the limits come from.
    ///   - interval: how often the providers are asked for news.
    ///   - logger: logs changes at info, and problems as warnings.
    public init(
        _ client: InstrumentedClient,
        config: ConfigReader,
        interval: Duration = .seconds(15),
        logger: Logger
    ) {
        self.init(client.pool, config: config, interval: interval, logger: logger)
    }

    /// Prepares it, for a pool that can be reconfigured.
    ///
    /// - Parameters:
    ///   - pool: the pool that is to follow the configuration.
    ///   - config: where the limits come from.
    ///   - interval: how often the providers are asked for news.
    ///   - logger: logs changes at info, and problems as warnings.
    public init(
        _ pool: any ObservablePool,
        config: ConfigReader,
        interval: Duration = .seconds(15),
        logger: Logger
    ) {
        self.pool = pool
        self.config = config
        self.interval = interval
        self.logger = logger
    }

    /// Follows the configuration until the service group shuts down or the task is cancelled.
    public func run() async throws {
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        logger.info("limits follow the configuration; SIGHUP has it read at once")
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await follow() }
            group.addTask { await ask(on: hangups) }
        }
    }

    /// Applies what the providers say, now and whenever it is something else.
    private func follow() async throws {
        try await config.watchSnapshot { updates in
            var endpoint: EndpointConfiguration?
            for await snapshot in updates.cancelOnGracefulShutdown() {
                endpoint = endpoint ?? EndpointConfiguration(snapshot: snapshot)
                await apply(snapshot, endpoint: endpoint)
            }
        }
    }

    /// Has the providers look whether something changed; they report it themselves.
    private func ask(on hangups: UnixSignalsSequence) async {
        let ticks = AsyncTimerSequence(interval: interval, clock: .continuous).map { _ in false }
        var said: String?
        for await isHangup in merge(ticks, hangups.map { _ in true }).cancelOnGracefulShutdown() {
            do {
                // Nobody has this key, so every provider is asked for it.
                _ = try await config.fetchString(forKey: ["httpClient", "reload"])
                said = nil
            } catch {
                let problem = "\(ConfigFileProblem(error))"
                // At every tick it would fill the log with the same.
                if isHangup || problem != said { warn(problem) }
                said = problem
            }
        }
    }

    private func apply(_ snapshot: ConfigSnapshotReader, endpoint: EndpointConfiguration?) async {
        let old = pool.configuration
        do {
            let new = try old.reloaded(from: snapshot, endpoint: endpoint)
            let changed = PoolSetting.reloadable.filter { new.value(of: $0) != old.value(of: $0) }
            guard !changed.isEmpty else { return }
            try await pool.reconfigure(new)
            let list = changed.map { "httpClient.\($0.key) from \(old.value(of: $0)) to \(new.value(of: $0))" }
            logger.info("limits changed: \(list.joined(separator: ", "))")
            let gone = old.settingsGone(in: new).filter(changed.contains)
            guard !gone.isEmpty else { return }
            let defaults = gone.map { "\(old.name(of: $0)), now \(new.value(of: $0))" }
            logger.warning(
                "settings are gone from the configuration, and their defaults in force: \(defaults.joined(separator: "; "))"
            )
        } catch let error as ConfigurationError {
            warn(error.problems.map(\.description).joined(separator: "; "))
        } catch {
            warn("\(error)")
        }
    }

    private func warn(_ problem: String) { logger.warning("limits stay as they are: \(problem)") }
}
