import ArgumentParser
import HTTPPool
import Logging
import PoolEndpoint

/// `poolscope config`.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print the configuration in force: setting, value, source, variable.",
        discussion: """
            A configuration that 'poolscope run' would reject is rejected here: all problems are printed to standard error \
            and the exit code is 78. Unknown variables that resemble settings, and a connection limit that exceeds the \
            process's limit of file descriptors, are printed as warnings.
            """
    )

    @OptionGroup var file: ConfigFileOption

    func run() async throws {
        let settings = try await Settings.read(file: file.config)
        let console = Console()
        settings.warn(to: console)
        try await Self.checkListening(settings.endpoint)
        console.say(Columns.aligned(settings.rows))
    }

    /// Listens briefly on the endpoint's addresses. One that is in use is not an error, because the configured process may
    /// be running.
    private static func checkListening(_ configuration: EndpointConfiguration) async throws {
        let endpoint = MetricsEndpoint(
            configuration,
            logger: Logger(label: "poolscope") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            try await endpoint.start()
        } catch let error as EndpointError where [.portTaken, .socketTaken].contains(error.code) {
            return
        }
        await endpoint.stop()
    }
}
