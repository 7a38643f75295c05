import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// One slow upstream among others: a gateway of five call sites with 20 connections.
///
/// With one queue for all origins and the first come served first, a slow upstream takes all connections (encode/httpx #557:
/// requests beyond the limit time out); Envoy and .NET keep pools by origin.
@Suite("One slow upstream")
struct GatewayTests {
    private static let connections = 20
    private static let quickSites = ["token", "health-a", "health-b", "health-c"]

    /// The gateway when its slow upstream has all connections, and as many requests wait for it.
    private struct Incident {
        let slow: ScriptedPeer
        let gate: Gate
        let quick: [ScriptedPeer]
        let requests: [Task<Int, any Error>]
    }

    private func begin(_ client: InstrumentedClient) async throws -> Incident {
        let gate = Gate()
        let slow = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                try gate.wait()
                connection.answer("slow")
            }
        }
        let quick = try Self.quickSites.map { _ in
            try ScriptedPeer { connection, _ in while try connection.readRequest() != nil { connection.answer("ok") } }
        }
        let requests = (0..<2 * Self.connections).map { _ in
            Task { try await client.fetch(.to(slow.authority), options: options("orders")).status }
        }
        try await levels(client, slow, inFlight: Self.connections, queued: Self.connections)
        return Incident(slow: slow, gate: gate, quick: quick, requests: requests)
    }

    private func options(_ site: String) -> RequestOptions {
        var options = RequestOptions()
        options.site = CallSite(site)
        return options
    }

    private func levels(
        _ client: InstrumentedClient,
        _ peer: ScriptedPeer,
        inFlight: Int,
        queued: Int
    ) async throws {
        try await eventually("\(inFlight) in flight, \(queued) queued", within: .seconds(20)) {
            let levels = client.reading().origins.first { $0.label.contains(peer.authority) }?.levels.requests
            return levels?.inFlight == inFlight && levels?.queued == queued
        }
    }

    private func end(_ incident: Incident) async throws {
        incident.gate.open()
        for request in incident.requests { #expect(try await request.value == 200) }
    }

    @Test(
        "fair: each health check has a connection at the first release, and the slow upstream has all that others leave"
    )
    func fair() async throws {
        try await withMeasuredPool {
            $0.limits.maxConnections = Self.connections
        } _: { client in
            let incident = try await begin(client)
            var released = 0
            for (site, peer) in zip(Self.quickSites, incident.quick) {
                let check = Task { try await client.fetch(.to(peer.authority), options: options(site)).text }
                try await levels(client, peer, inFlight: 0, queued: 1)
                incident.gate.letThrough()
                released += 1
                #expect(try await check.value == "ok")
                // What it leaves goes back.
                try await levels(
                    client,
                    incident.slow,
                    inFlight: Self.connections,
                    queued: Self.connections - released
                )
            }
            // Several at once: one release is enough for all, since each hands on what it was given.
            let checks = zip(Self.quickSites, incident.quick).map { site, peer in
                Task { try await client.fetch(.to(peer.authority), options: options(site)).text }
            }
            for peer in incident.quick { try await levels(client, peer, inFlight: 0, queued: 1) }
            incident.gate.letThrough()
            released += 1
            for check in checks { #expect(try await check.value == "ok") }
            try await levels(client, incident.slow, inFlight: Self.connections, queued: Self.connections - released)
            try await end(incident)
        }
    }

    /// A health check that waits behind the incident.
    private func queuedCheck(_ client: InstrumentedClient, _ peer: ScriptedPeer) async throws -> Task<String, any Error>
    {
        let check = Task { try await client.fetch(.to(peer.authority), options: options("token")).text }
        try await levels(client, peer, inFlight: 0, queued: 1)
        return check
    }

    @Test("fifo: a health check waits until all that came before it have had their turn")
    func fifo() async throws {
        try await withMeasuredPool {
            $0.limits.maxConnections = Self.connections
            $0.limits.queueOrder = .fifo
        } _: { client in
            let incident = try await begin(client)
            let peer = incident.quick[0]
            let check = try await queuedCheck(client, peer)
            for released in 1...Self.connections {
                incident.gate.letThrough()
                try await levels(
                    client,
                    incident.slow,
                    inFlight: Self.connections,
                    queued: Self.connections - released
                )
                try await levels(client, peer, inFlight: 0, queued: 1)
            }
            incident.gate.letThrough()
            #expect(try await check.value == "ok")
            try await end(incident)
        }
    }

    @Test("The order changes while it runs")
    func reconfigured() async throws {
        try await withMeasuredPool {
            $0.limits.maxConnections = Self.connections
            $0.limits.queueOrder = .fifo
        } _: { client in
            let incident = try await begin(client)
            let peer = incident.quick[0]
            let check = try await queuedCheck(client, peer)
            var configuration = client.configuration
            configuration.limits.queueOrder = .fair
            try await client.pool.reconfigure(configuration)
            incident.gate.letThrough()
            #expect(try await check.value == "ok")
            try await end(incident)
        }
    }
}
