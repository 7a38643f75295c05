private import AsyncAlgorithms
public import Configuration
public import HTTPPool
public import Logging
public import PoolMetrics
public import ServiceLifecycle
private import UnixSignals

/// Applies configuration changes to the limits and timeouts of a running client.
///
/// ```swift
/// let file = try await SettingsSnapshot.follow("/etc/catalog/pool.json")
/// let config = ConfigReader(providers: [EnvironmentVariablesProvider(), file])
/// let client = try InstrumentedClient.shared(config: config)
/// let reload = PoolReload(client, config: config, logger: logger)
/// ```
///
/// List it after the client in a service group. It makes the providers check for changes on SIGHUP and
/// periodically, and applies the changes that they report. Values from the environment and values set in code do
/// not change. A configuration that is invalid, has an unknown key, or changes the transport is rejected as a
/// whole. A removed key restores its default, as a restart would, and logs a warning; so does a file without any
/// setting.
public struct PoolReload: Service {
    private let pool: any ObservablePool
    /// Counts reloads; `nil` for a pool without metrics.
    private let measured: MeasuredPool?
    private let config: ConfigReader
    private let interval: Duration
    private let logger: Logger

    /// Creates the service. It has no effect before ``run()``.
    ///
    /// - Parameters:
    ///   - client: the client whose pool is reconfigured.
    ///   - config: the configuration source.
    ///   - interval: how often the providers check for changes.
    ///   - logger: logs changes at info level and problems as warnings.
    public init(
        _ client: InstrumentedClient,
        config: ConfigReader,
        interval: Duration = .seconds(15),
        logger: Logger
    ) {
        self.init(client.pool, measured: client.measured, config: config, interval: interval, logger: logger)
    }

    /// Creates the service for a pool that can be reconfigured.
    ///
    /// - Parameters:
    ///   - pool: the pool to reconfigure.
    ///   - config: the configuration source.
    ///   - interval: how often the providers check for changes.
    ///   - logger: logs changes at info level and problems as warnings.
    public init(
        _ pool: any ObservablePool,
        config: ConfigReader,
        interval: Duration = .seconds(15),
        logger: Logger
    ) {
        self.init(pool, measured: nil, config: config, interval: interval, logger: logger)
    }

    private init(
        _ pool: any ObservablePool,
        measured: MeasuredPool?,
        config: ConfigReader,
        interval: Duration,
        logger: Logger
    ) {
        self.pool = pool
        self.measured = measured
        self.config = config
        self.interval = interval
        self.logger = logger
    }

    /// Applies changes until the service group shuts down or the task is cancelled.
    public func run() async throws {
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        logger.info("limits follow the configuration; send SIGHUP to reload it at once")
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await follow() }
            group.addTask { await ask(on: hangups) }
        }
    }

    /// Applies the current configuration and every change.
    private func follow() async throws {
        try await config.watchSnapshot { updates in
            var endpoint: EndpointConfiguration?
            var warnings: [ConfigurationError.Problem] = []
            for await snapshot in updates.cancelOnGracefulShutdown() {
                endpoint = endpoint ?? EndpointConfiguration(snapshot: snapshot)
                warnings = await apply(snapshot, endpoint: endpoint, known: warnings)
            }
        }
    }

    /// Makes the providers check for changes, which they then report to their watchers.
    private func ask(on hangups: UnixSignalsSequence) async {
        let ticks = AsyncTimerSequence(interval: interval, clock: .continuous).map { _ in false }
        var said: String?
        for await isHangup in merge(ticks, hangups.map { _ in true }).cancelOnGracefulShutdown() {
            do {
                // No provider has this key, so the reader queries all of them.
                _ = try await config.fetchString(forKey: ["httpClient", "reload"])
                said = nil
            } catch {
                let problem = SettingsFileError(error)?.description ?? "\(error)"
                // Repeating it at every tick would flood the log.
                if isHangup || problem != said { warn(problem) }
                said = problem
            }
        }
    }

    /// Applies a configuration, or logs why it cannot be.
    ///
    /// - Parameter known: the warnings that were logged before.
    /// - Returns: the warnings about this configuration; `known` if it is invalid.
    private func apply(
        _ snapshot: ConfigSnapshotReader,
        endpoint: EndpointConfiguration?,
        known: [ConfigurationError.Problem]
    ) async -> [ConfigurationError.Problem] {
        let old = pool.configuration
        var warnings = known
        do {
            let new = try old.reloaded(from: snapshot, endpoint: endpoint)
            warnings = new.warnings(descriptorLimit: nil)
            for warning in warnings where !known.contains(warning) { logger.warning("\(warning)") }
            let changed = PoolSetting.reloadable.filter { new.value(of: $0) != old.value(of: $0) }
            guard !changed.isEmpty else {
                measured?.noteReload(succeeded: true)
                return warnings
            }
            try await pool.reconfigure(new)
            measured?.noteReload(succeeded: true)
            let list = changed.map { "httpClient.\($0.key) from \(old.value(of: $0)) to \(new.value(of: $0))" }
            logger.info("limits changed: \(list.joined(separator: ", "))")
            let gone = old.settingsGone(in: new).filter(changed.contains)
            guard !gone.isEmpty else { return warnings }
            let defaults = gone.map { "\(old.name(of: $0)), now \(new.value(of: $0))" }
            logger.warning(
                "settings were removed from the configuration; defaults are in force: \(defaults.joined(separator: "; "))"
            )
        } catch let error as ConfigurationError {
            warn(error.problems.map(\.description).joined(separator: "; "))
        } catch {
            warn("\(error)")
        }
        return warnings
    }

    private func warn(_ problem: String) {
        measured?.noteReload(succeeded: false, problem: problem)
        logger.warning("limits unchanged: \(problem)")
    }
}
