import PoolScope

do {
    let logger = Logger(label: "catalog")
    let client = try InstrumentedClient.shared()
    let endpoint = try MetricsEndpoint.fromEnvironment(logger: logger)
    let services: [any Service] = [endpoint, client]
    let group = ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm], logger: logger)
    try await group.run()
} catch {
    StartFailure.exit(reporting: error)
}
