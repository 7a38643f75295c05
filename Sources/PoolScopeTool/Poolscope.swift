import ArgumentParser
import Foundation
import HTTPPool

/// The command-line tool. It shows what the endpoint of a service reports, demonstrates a shared pool, and prints the
/// configuration in force.
@main
struct Poolscope: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poolscope",
        abstract: "Run and inspect a shared, pooled HTTP client.",
        version: PoolScopeVersion.current,
        subcommands: [CheckCommand.self, TopCommand.self, RunCommand.self, ConfigCommand.self]
    )

    /// Parses the arguments and runs the command. An unexpected argument may be a URL with a password, so errors do
    /// not repeat arguments that may be URLs.
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            // The same status as that of a service which cannot start.
            let failure = StartFailure.report(of: error)
            if failure.status == StartFailure.wrongConfiguration {
                Console().warn("Error: \(failure.text)")
                Foundation.exit(failure.status)
            }
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Console().warn(fullMessage(for: error).hidingAddresses(in: arguments))
            // A monitor takes any other status for an error of its own.
            let isCheck = arguments.first == CheckCommand.configuration.commandName
            Foundation.exit(isCheck ? CheckReport.Status.unknown.rawValue : ExitCode.validationFailure.rawValue)
        }
    }
}

extension String {
    /// The text with arguments that may be URLs replaced by `(hidden)`.
    func hidingAddresses(in arguments: [String]) -> String {
        let values = arguments.flatMap { argument in
            // Also the value of an option: `--target=https://...`.
            [argument]
                + (argument.hasPrefix("-")
                    ? argument.split(separator: "=", maxSplits: 1).dropFirst().map(String.init) : [])
        }
        let secrets = values.filter { value in !value.hasPrefix("-") && value.contains { ":/@?".contains($0) } }
        // Longest first, because one may contain another.
        return secrets.sorted { $0.count > $1.count }.reduce(self) { text, secret in
            text.replacingOccurrences(of: secret, with: "(hidden)")
        }
    }
}
