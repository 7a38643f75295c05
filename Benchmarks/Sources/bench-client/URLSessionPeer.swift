internal import Foundation
internal import FoundationNetworking
internal import Load
internal import PoolPeer

/// Foundation's URLSession, without its cache and its cookies.
struct URLSessionPeer: Peer {
    private let session: URLSession
    private let url: URL

    init(url: String, connections: Int) throws {
        guard let url = URL(string: url) else { throw InvalidURL() }
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = connections
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        session = URLSession(configuration: configuration)
        self.url = url
    }

    func get() async throws -> (status: Int, bytes: Int) {
        let (body, response) = try await session.data(from: url)
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, body.count)
    }

    func close() { session.invalidateAndCancel() }
}
