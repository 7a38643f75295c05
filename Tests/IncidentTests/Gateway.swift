import Configuration
import CurlPool
import Foundation
import Glibc
import HTTPPool
import HTTPTypes
import Logging
import PoolEndpoint
import PoolMetrics
import SharedPool
import SystemPackage
import TestSupport
import Testing

/// A service as an adopter has it: five call sites that share one pool, with limits from a file that it follows, nginx in
/// front of its upstreams, and an endpoint.
final class Gateway: Sendable {
    /// A part of the service that sends a request, works for a while and sends the next.
    struct Caller: Sendable {
        let site: CallSite
        let host: String
        let path: String
        /// How many do so at once.
        let count: Int
        /// How long each works before its next request.
        let work: Duration
    }

    static let catalog = "catalog-service.prod.svc.cluster.local"
    static let identity = "identity.prod.svc.cluster.local"
    static let search = "search.prod.svc.cluster.local"

    /// The five call sites.
    static let callers = [
        Caller(site: "tool calls", host: catalog, path: "/catalog/call", count: 24, work: .seconds(1)),
        Caller(site: "tool lists", host: catalog, path: "/catalog/list", count: 13, work: .seconds(1)),
        Caller(site: "catalog export", host: catalog, path: "/catalog/export", count: 3, work: .seconds(1)),
        Caller(site: "token exchange", host: identity, path: "/identity", count: 3, work: .milliseconds(200)),
        Caller(site: "search", host: search, path: "/search", count: 3, work: .milliseconds(250)),
    ]

    let nginx: Nginx
    let catalogUpstream: PacedUpstream
    let file: SettingsFile
    let registry: PoolRegistry
    let client: InstrumentedClient
    /// The URL of the endpoint, without a slash at its end.
    let url: String
    private let otherUpstream: PacedUpstream
    private let endpoint: MetricsEndpoint
    private let log = LogLines()
    private let reload: Task<Void, any Error>

    /// - Parameter settings: the members of `httpClient` in the settings file.
    private init(_ settings: String, registry: PoolRegistry) async throws {
        (catalogUpstream, otherUpstream) = (try PacedUpstream(), try PacedUpstream())
        let locations = ["/identity", "/search"].map(otherUpstream.location) + [catalogUpstream.location("/catalog")]
        nginx = try await Nginx.start(locations: locations.joined(separator: " "))
        file = try SettingsFile("{\"httpClient\": {\(settings)}}")
        self.registry = registry
        let provider = try await ReloadingFileProvider<SettingsSnapshot>(filePath: FilePath(file.path))
        let config = ConfigReader(provider: provider)
        let pool = try CurlClient(
            PoolConfiguration(config: config),
            // Every name is this machine, and none is looked up elsewhere.
            resolver: Resolver { _ in .success(["127.0.0.1"]) }
        )
        client = try InstrumentedClient(pool, name: "shared", registry: registry)
        let service = PoolReload(client, config: config, interval: .seconds(3600), logger: log.logger(.info))
        reload = Task { try await service.run() }
        endpoint = MetricsEndpoint(
            EndpointConfiguration(host: "127.0.0.1", port: 0),
            registry: registry,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        url = "http://\(try await endpoint.start())"
        try await eventually("the file is followed") { [log] in !log.lines.isEmpty }
    }

    /// A gateway for as long as `body` runs.
    static func run(
        _ settings: String,
        registry: PoolRegistry = PoolRegistry(),
        _ body: (Gateway) async throws -> Void
    ) async throws {
        let gateway = try await Gateway(settings, registry: registry)
        let result: Result<Void, any Error>
        do {
            try await body(gateway)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await gateway.end()
        try result.get()
    }

    private func end() async throws {
        await client.shutdown(.immediate)
        reload.cancel()
        _ = await reload.result
        await endpoint.stop()
        try await catalogUpstream.stop()
        try await otherUpstream.stop()
    }

    /// The label of an upstream.
    func origin(_ host: String) -> String { "http://\(host):\(nginx.port)" }

    // MARK: What it does

    /// Runs the callers for as long as `body` runs.
    func working(_ callers: [Caller] = Gateway.callers, _ body: () async throws -> Void) async throws {
        let work = callers.flatMap { caller in
            (0..<caller.count).map { number in
                Task { [self] in
                    // They do not all begin at once.
                    try await Task.sleep(for: caller.work * number / caller.count)
                    while !Task.isCancelled {
                        // Requests fail in an incident; the pages count them.
                        _ = try? await fetch(caller.site, caller.host, caller.path)
                        try await Task.sleep(for: caller.work)
                    }
                }
            }
        }
        let result: Result<Void, any Error>
        do {
            try await body()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        for task in work { task.cancel() }
        for task in work { _ = await task.result }
        try result.get()
    }

    /// Sends a request and reads the response to its end.
    func fetch(_ site: CallSite, _ host: String, _ path: String) async throws {
        let response = try await send(site, host, path)
        _ = try await response.body.collect(upTo: 16 << 20)
    }

    /// Sends a request, and leaves the response's body to the caller.
    func send(_ site: CallSite, _ host: String, _ path: String) async throws -> PooledResponse {
        let request = HTTPRequest(method: .get, scheme: "http", authority: "\(host):\(nginx.port)", path: path)
        return try await client.execute(request, body: .none, options: RequestOptions(site: site))
    }

    /// Writes the settings file anew, and says so with SIGHUP as a person would.
    func reload(_ settings: String) throws {
        try file.write("{\"httpClient\": {\(settings)}}")
        kill(getpid(), SIGHUP)
    }

    // MARK: Its pages

    /// Asks for a page until it is what the test waits for.
    ///
    /// - Returns: the first page that is.
    func page(
        _ path: String = "/",
        within limit: Duration = .seconds(30),
        showing what: String,
        sourceLocation: SourceLocation = #_sourceLocation,
        until isIt: (CapturedPage) -> Bool = { _ in true }
    ) async throws -> CapturedPage {
        let end = ContinuousClock.now + limit
        while true {
            let result = try await curl("--fail", url + path)
            let page = CapturedPage(result.output, port: nginx.port)
            page.expectPlain(sourceLocation: sourceLocation)
            if result.status == 0, isIt(page) { return page }
            guard ContinuousClock.now < end else {
                Issue.record("\(path) is not within \(limit): \(what)\n\(page.text)", sourceLocation: sourceLocation)
                throw TestFailure("the test ends here, because it waited in vain")
            }
            // A person looks less often; each look is a process, which takes time from what is looked at.
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// A page's JSON.
    func json(_ path: String = "/") async throws -> [String: Any] {
        let text = try await curl("--fail", "\(url)\(path)?format=json").output
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}
