import ArgumentParser
import Foundation
import HTTPPool
import PoolEndpoint

/// `poolscope check`.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Ask an endpoint whether something is wrong; for scripts and monitors.",
        discussion: """
            The output and the status are those of a Nagios plugin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. It is UNKNOWN when \
            there is no response in time, or one that is not the page of a PoolScope endpoint of a known version.
            """
    )

    @OptionGroup var endpoint: StatusAddressOption

    @Option(help: "The time for a response, in seconds.")
    var timeout = 5.0

    @Option(help: "Report about this pool only.")
    var pool: String?

    @Flag(help: "Print all verdicts, with their evidence and advice.")
    var verbose = false

    func validate() throws {
        guard timeout > 0 && timeout <= 3600 else {
            throw ValidationError("--timeout must be above 0 and at most 3600")
        }
    }

    func run() async throws {
        let report = await report()
        Console().say(report.text)
        if report.status != .ok { throw ExitCode(report.status.rawValue) }
    }

    private func report() async -> CheckReport {
        do {
            let client = try endpoint.client(timeout: .seconds(timeout))
            let result = await Result { try await client.page("/") }
            await client.close()
            let page = try StatusFrame.decode(StatusPage.self, "status", result.get())
            return CheckReport(page, pool: pool, isVerbose: verbose)
        } catch {
            return CheckReport(unknown: "\(error)")
        }
    }
}

/// The argument that names the endpoint.
struct StatusAddressOption: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The endpoint: host:port, http://host:port, https://host:port or unix:/path.",
            discussion: """
                Without it, the endpoint of the environment: HTTP_CLIENT_METRICS_SOCKET, or HTTP_CLIENT_METRICS_HOST and \
                HTTP_CLIENT_METRICS_PORT, or 127.0.0.1:9464.
                """,
            valueName: "url"
        )
    )
    var url: String?

    @Option(
        help: ArgumentHelp(
            "A file like HTTP_CLIENT_METRICS_CREDENTIALS_FILE of the endpoint; its first line is presented.",
            valueName: "path"
        )
    )
    var credentialsFile: String?

    @Option(
        help: ArgumentHelp(
            "A PEM file with authorities to trust besides those of the system, for https.",
            valueName: "path"
        )
    )
    var caFile: String?

    /// A client of the endpoint.
    ///
    /// - Throws: ``TargetError``, a fault of a file, or `PoolError`.
    func client(timeout: Duration) throws -> StatusClient {
        // Credentials from the environment are sent only to the endpoint configured there, never to a URL of the command line.
        let ownFile = url == nil ? ProcessInfo.processInfo.environment["HTTP_CLIENT_METRICS_CREDENTIALS_FILE"] : nil
        let file = credentialsFile ?? ownFile.flatMap { $0.isEmpty || $0 == "none" ? nil : $0 }
        return try StatusClient(
            address(),
            authorization: file.map { path throws(CredentialsFile.Fault) in try CredentialsFile.header(from: path) },
            authorities: caFile,
            timeout: timeout
        )
    }

    /// - Throws: ``TargetError``.
    func address() throws(TargetError) -> StatusAddress {
        guard let url else { return try StatusAddress(environment: ProcessInfo.processInfo.environment) }
        return try StatusAddress(url)
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
