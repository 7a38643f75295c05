internal import HTTPPool
internal import Logging
internal import PoolEndpoint

extension MetricsEndpoint {
    /// An endpoint on any free port of loopback, which logs nothing: what is printed is the report.
    static func silent() -> MetricsEndpoint {
        let logger = Logger(label: "bench-client") { _ in SwiftLogNoOpLogHandler() }
        return MetricsEndpoint(EndpointConfiguration(host: "127.0.0.1", port: 0), logger: logger)
    }
}
