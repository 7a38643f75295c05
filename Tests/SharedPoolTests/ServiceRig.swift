import CurlPool
import HTTPPool
import HTTPTypes
import Logging
import LoopbackUpstream
import PoolMetrics
import ServiceLifecycle
import SharedPool
import TestSupport

/// A measured pool as a service of a group that runs, and an upstream.
struct Rig {
    let upstream: LoopbackUpstream
    let registry: PoolRegistry
    let client: InstrumentedClient
    let group: ServiceGroup
    /// The group's run.
    let run: Task<Void, any Error>

    /// The levels of all origins together.
    var levels: OriginLevels { client.reading().levels }
    var port: UInt16 { UInt16(upstream.port) }

    /// Sends a request to the upstream.
    func get(_ path: String) async throws -> PooledResponse {
        try await client.execute(
            HTTPRequest(method: .get, scheme: "http", authority: upstream.authority, path: path)
        )
    }

    /// Sends a request to the upstream and expects to be refused.
    func codeOfRefusal(_ path: String = "/fast") async -> PoolError.Code? {
        do {
            _ = try await get(path)
            return nil
        } catch {
            return (error as? PoolError)?.code
        }
    }
}

/// Gives a rig to one test and ends what the test left of it.
func withRig(_ body: (Rig) async throws -> Void) async throws {
    let upstream = LoopbackUpstream()
    try await upstream.start()
    let registry = PoolRegistry()
    let client = try InstrumentedClient(CurlClient(), name: "service", registry: registry)
    let group = ServiceGroup(services: [client], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let run = Task { try await group.run() }
    let result: Result<Void, any Error>
    do {
        try await body(Rig(upstream: upstream, registry: registry, client: client, group: group, run: run))
        result = .success(())
    } catch {
        result = .failure(error)
    }
    run.cancel()
    _ = await run.result
    await client.shutdown(.immediate)
    await upstream.stop()
    try result.get()
}
