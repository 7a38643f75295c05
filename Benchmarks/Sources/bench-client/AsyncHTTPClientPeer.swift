internal import AsyncHTTPClient
internal import Load
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// async-http-client, tuned for the test: HTTP/1.1 only, and as many connections as there are requests in flight.
struct AsyncHTTPClientPeer: Peer {
    private let client: HTTPClient
    private let request: HTTPClientRequest

    init(url: String, connections: Int, ca: String?) {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        if let ca {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(ca)
            configuration.tlsConfiguration = tls
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        request = HTTPClientRequest(url: url)
    }

    func get() async throws -> (status: Int, bytes: Int) {
        let response = try await client.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 64 << 20)
        return (Int(response.status.code), body.readableBytes)
    }

    func close() async throws { try await client.shutdown() }
}
