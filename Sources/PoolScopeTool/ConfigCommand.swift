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
            What 'poolscope run' would refuse is refused here: every problem goes to standard error and the exit code is 1. \
            A variable that looks like a setting and is not, and a limit of connections for which the process has not the \
            descriptors, are warnings there.
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

    /// Listens for a moment where the endpoint would. A port in use is not wrong: the process that is configured so may be
    /// running.
    private static func checkListening(_ configuration: EndpointConfiguration) async throws {
        let endpoint = MetricsEndpoint(
            configuration,
            logger: Logger(label: "poolscope") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            try await endpoint.start()
        } catch let error as EndpointError where error.code == .portTaken {
            return
        }
        await endpoint.stop()
    }
}
