import HTTPPool
import HTTPTypes
import Synchronization

/// The adapter: `LineClient` as a `PooledHTTPClient` whose pool is recorded.
public final class MeasuredLineClient: PooledHTTPClient {
    /// What an `InstrumentedClient` measures.
    public let recorder: PoolRecorder
    private let client: LineClient

    /// Starts the client with as many connections as the configuration allows.
    public init(_ configuration: PoolConfiguration = PoolConfiguration()) {
        let connections = Connections()
        let client = LineClient(maxConnections: configuration.limits.maxConnections)
        let recorder = PoolRecorder(
            configuration: configuration,
            backend: PoolBackend(library: "LineClient/1.0", tls: "none"),
            // The library does not report when a request gets a slot, and sends nothing again.
            facts: [.connections, .limitWaits, .responses, .outcomes, .leaseStates],
            shutdown: { _ in client.close() }
        )
        client.begin(
            LineClient.Callbacks(
                connecting: { connection, host in
                    let origin = Origin(scheme: "http", host: host, port: 80)
                    connections[connection] = recorder.record { $0.connectionOpening(to: origin) }
                },
                connected: { connection in
                    guard let number = connections[connection] else { return }
                    recorder.record { $0.connectionOpened(number) }
                },
                refused: { connection in
                    guard let number = connections.remove(connection) else { return }
                    recorder.record { $0.connectionFailed(number, .refused) }
                },
                closed: { connection, isSurplus in
                    guard let number = connections.remove(connection) else { return }
                    recorder.record { $0.connectionClosed(number, isSurplus ? .evicted : .peerClosed) }
                },
                waiting: { request in recorder.record { $0.queued(RequestNumber(request), behind: .connections) } },
                assigned: { request, connection in
                    guard let number = connections[connection] else { return }
                    recorder.record { $0.acquired(RequestNumber(request), on: number) }
                },
                sent: { request in recorder.record { $0.requestSent(RequestNumber(request)) } },
                responding: { request in recorder.record { $0.responseHead(RequestNumber(request)) } },
                failed: { request in recorder.record { $0.acquireFailed(RequestNumber(request), .connectFailed) } },
                finished: { request in recorder.record { $0.leaseEnded(RequestNumber(request), .success) } }
            )
        )
        self.client = client
        self.recorder = recorder
    }

    /// Sends a request. The library numbers it as the recorder does.
    public func execute(
        _ request: HTTPRequest,
        body: HTTPRequestBody,
        options: RequestOptions
    ) async throws -> PooledResponse {
        let origin = try Origin(scheme: request.scheme, authority: request.authority)
        let number = recorder.record { $0.submitted(to: origin, site: options.site) }
        do {
            let line = try await client.send(number.value, to: origin.host)
            return PooledResponse(head: HTTPResponse(status: .ok), body: HTTPResponseBody(bytes: Array(line.utf8)))
        } catch is LineClient.Refused {
            throw PoolError(.connectFailed, "the peer refused", origin: origin, phase: .connect)
        }
    }
}

/// The recorder's numbers of the library's connections.
private final class Connections: Sendable {
    private let numbers = Mutex<[Int: ConnectionNumber]>([:])

    subscript(connection: Int) -> ConnectionNumber? {
        get { numbers.withLock { $0[connection] } }
        set { numbers.withLock { $0[connection] = newValue } }
    }

    func remove(_ connection: Int) -> ConnectionNumber? {
        numbers.withLock { $0.removeValue(forKey: connection) }
    }
}
