import ArgumentParser
import Foundation
import HTTPPool

/// The command-line tool: shows what a shared pool does, and which configuration is in force.
@main
struct Poolscope: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poolscope",
        abstract: "Watch a shared, pooled HTTP client at work.",
        version: PoolScopeVersion.current,
        subcommands: [RunCommand.self, ConfigCommand.self]
    )

    /// Parses the arguments and runs the command. An argument that stands where none should may be an address with a password,
    /// so that no error repeats one.
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
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Console().warn(fullMessage(for: error).hidingAddresses(in: arguments))
            Foundation.exit(ExitCode.validationFailure.rawValue)
        }
    }
}

extension String {
    /// Without those of the arguments that may be addresses.
    func hidingAddresses(in arguments: [String]) -> String {
        let values = arguments.flatMap { argument in
            // Also what follows the name of an option: `--target=https://...`.
            [argument]
                + (argument.hasPrefix("-")
                    ? argument.split(separator: "=", maxSplits: 1).dropFirst().map(String.init) : [])
        }
        let secrets = values.filter { value in !value.hasPrefix("-") && value.contains { ":/@?".contains($0) } }
        // The longest first: one may be a part of another.
        return secrets.sorted { $0.count > $1.count }.reduce(self) { text, secret in
            text.replacingOccurrences(of: secret, with: "(hidden)")
        }
    }
}
