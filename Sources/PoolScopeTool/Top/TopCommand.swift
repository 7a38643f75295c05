import ArgumentParser
import Foundation

/// `poolscope top`.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show an endpoint's pools live in the terminal.",
        discussion: """
            Keys: Tab or 1-5 switch the table, s sorts by the next column, r reverses, / filters, p pauses, arrows or j and k \
            move, q quits. When standard output is not a terminal it prints the state once. NO_COLOR turns colors off.
            """
    )

    @OptionGroup var endpoint: StatusAddressOption

    @Option(help: "The time between two pages, in seconds.")
    var interval = 2.0

    @Option(help: "The time for a response, in seconds.")
    var timeout = 5.0

    @Flag(help: "Print the state once and exit.")
    var once = false

    func validate() throws {
        guard interval >= 0.1 && interval <= 3600 else { throw ValidationError("--interval must be from 0.1 to 3600") }
        guard timeout > 0 && timeout <= 3600 else {
            throw ValidationError("--timeout must be above 0 and at most 3600")
        }
        do { _ = try endpoint.address() } catch { throw ValidationError(error.description) }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let traits = TerminalTraits(environment)
        let client = try endpoint.client(timeout: .seconds(timeout))
        let status: Int32
        if !once, traits.canMove, let terminal = Terminal(hasColor: traits.hasColor) {
            status = await TopSession(client, terminal, interval: interval, isASCII: !traits.isUTF8).run()
        } else {
            let columns = TerminalSize.ofTerminal?.columns ?? TerminalSize.columns(in: environment) ?? 120
            status = await printOnce(client, columns: columns, isASCII: !traits.isUTF8)
        }
        await client.close()
        if status != EXIT_SUCCESS { throw ExitCode(status) }
    }

    private func printOnce(_ client: StatusClient, columns: Int, isASCII: Bool) async -> Int32 {
        let console = Console()
        var state = TopState(name: client.address.name, interval: interval, now: 0)
        do {
            state.receive(try await client.picture(.upstreams), at: 0)
        } catch {
            console.warn("Error: \(error)")
            return EXIT_FAILURE
        }
        // As many rows as the parts above the table need to be shown whole.
        let size = TerminalSize(columns: columns, rows: 80)
        let screen = TopScreen(state: state, size: size, now: 0, isASCII: isASCII)
        console.say(screen.plainLines().joined(separator: "\n"))
        return EXIT_SUCCESS
    }
}
