internal import ArgumentParser
internal import Foundation
internal import Load
internal import PoolPeer

/// Sends requests with one client and measures them.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "load", abstract: "Send requests with one client.")

    enum Client: String, ExpressibleByArgument, CaseIterable {
        case curlPoolBare = "curlpool-bare"
        case curlPoolInstrumented = "curlpool-instrumented"
        /// Instrumented, with the requests sent from the pool's own thread.
        case curlPoolExecutor = "curlpool-executor"
        case asyncHTTPClient = "async-http-client"
        case urlSession = "urlsession"
    }

    @Argument(help: "The client.") var client: Client
    @Option(help: "What to GET.") var url: String
    @Option(help: "Requests in flight at once.") var concurrency: Int
    @Option(help: "Requests that are measured.") var requests: Int
    @Option(help: "Requests before them that are not.") var warmup = 0
    @Option(help: "Bytes that every body must have.") var bytes: Int
    @Option(help: "A PEM file with the certificate authority to trust.") var ca: String?

    mutating func validate() throws {
        guard concurrency > 0, requests >= concurrency else {
            throw ValidationError("there must be at least one request for each that is in flight")
        }
        guard ca == nil || client != .urlSession else {
            throw ValidationError("\(client.rawValue) cannot be told which certificate authority to trust")
        }
    }

    func run() async throws {
        ProcessUsage.raiseDescriptorLimit()
        switch client {
        case .curlPoolBare: try await measure(pool(instrumented: false))
        case .curlPoolInstrumented: try await measure(pool(instrumented: true))
        case .curlPoolExecutor:
            let peer = try pool(instrumented: true)
            try await withTaskExecutorPreference(peer.executor) { try await measure(peer) }
        case .asyncHTTPClient: try await measure(AsyncHTTPClientPeer(url: url, connections: concurrency, ca: ca))
        case .urlSession: try await measure(URLSessionPeer(url: url, connections: concurrency))
        }
    }

    private func pool(instrumented: Bool) throws -> PoolPeer {
        try PoolPeer(url: url, connections: concurrency, instrumented: instrumented, ca: ca)
    }

    private func measure(_ peer: some Peer) async throws {
        let plan = LoadPlan(concurrency: concurrency, requests: requests, warmup: warmup, bytes: bytes)
        let report = try await plan.measure(peer, named: client.rawValue)
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
        try await peer.close()
    }
}
