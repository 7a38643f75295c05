import CurlPool
import HTTPPool
import HTTPTypes

/// Why there is no page.
struct StatusFailure: Error, Sendable, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Gets pages of an endpoint as JSON. It follows no redirect and uses no proxy.
struct StatusClient: Sendable {
    /// The largest page that is read. One with as many origins and call sites as a pool has series is a tenth of it.
    static let maxBytes = 4 << 20

    let address: StatusAddress
    private let client: CurlClient
    /// The value of `Authorization`; `nil` for none.
    private let authorization: String?

    /// - Parameters:
    ///   - authorization: the value of `Authorization`; `nil` for none.
    ///   - authorities: a file with authorities to trust besides those of the system.
    ///   - timeout: the time for a page, from the first byte sent to the last received.
    /// - Throws: `PoolError` when the system has no descriptor or thread left, or the authorities cannot be used.
    init(_ address: StatusAddress, authorization: String? = nil, authorities: String? = nil, timeout: Duration) throws {
        self.address = address
        self.authorization = authorization
        var configuration = PoolConfiguration()
        if let authorities { configuration.transport.tls.trust = .systemAnd(.file(authorities)) }
        configuration.limits.maxConnections = 4
        configuration.timeouts.connect = timeout
        configuration.timeouts.acquire = timeout
        configuration.timeouts.read = timeout
        configuration.timeouts.write = timeout
        configuration.timeouts.total = timeout
        client = try CurlClient(configuration)
    }

    /// The JSON of a page.
    ///
    /// - Throws: ``StatusFailure``; `CancellationError`.
    func page(_ path: String) async throws -> [UInt8] {
        var request = HTTPRequest(
            method: .get,
            scheme: address.scheme,
            authority: address.authority,
            path: "\(address.prefix)\(path)\(path.contains("?") ? "&" : "?")format=json",
            headerFields: [.accept: "application/json"]
        )
        if let authorization { request.headerFields[.authorization] = authorization }
        do {
            let response = try await client.execute(request)
            guard response.status == .ok else {
                response.body.discard()
                throw StatusFailure("\(address.name) responded with status \(response.status.code)")
            }
            return try await response.body.collect(upTo: Self.maxBytes)
        } catch let error as PoolError {
            throw StatusFailure("no response from \(address.name): \(error.code): \(error.reason)")
        }
    }

    func close() async { await client.shutdown(.immediate) }
}
