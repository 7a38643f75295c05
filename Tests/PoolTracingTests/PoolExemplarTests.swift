import CurlPool
import HTTPPool
import HTTPTypes
import LoopbackUpstream
import PoolMetrics
import PoolTracing
import TestSupport
import Testing
import Tracing

@Suite("Exemplars of the pool's requests")
struct PoolExemplarTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let traceparent = "00-\(trace)-00f067aa0ba902b7-01"
    private static let name = HTTPField.Name.traceparent

    /// A measured pool of one connection, and an upstream.
    private func rig(_ body: (InstrumentedClient, LoopbackUpstream) async throws -> Void) async throws {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 1
        let client = try InstrumentedClient(CurlClient(configuration), registry: PoolRegistry())
        let upstream = LoopbackUpstream()
        try await upstream.start()
        let result: Result<Void, any Error>
        do { result = .success(try await body(client, upstream)) } catch { result = .failure(error) }
        await client.shutdown(.immediate)
        await upstream.stop()
        try result.get()
    }

    /// The families that have exemplars, and the labels of these.
    private func exemplars(_ client: InstrumentedClient) throws -> (
        families: Set<String>, labels: Set<[String: String]>
    ) {
        let bytes = Exposition.render([client.reading()], process: nil, as: .openMetrics)
        let samples = try ExpositionReader(bytes, as: .openMetrics).samples.filter { $0.exemplar != nil }
        let families = samples.map { "\($0.family.dropFirst("http_client_pool_".count))\($0.labels["outcome"] ?? "")" }
        return (Set(families), Set(samples.compactMap(\.exemplar?.labels)))
    }

    @Test("A traceparent of the caller becomes exemplars of all durations of the request, and nothing else of it does")
    func caller() async throws {
        try await rig { client, upstream in
            let fields: HTTPFields = [Self.name: Self.traceparent, .authorization: "s3cret", .tracestate: "s3cret"]
            _ = try await client.execute("http://\(upstream.authority)/fast?s3cret", headers: fields).collect()
            let found = try exemplars(client)
            #expect(
                found.families == [
                    "acquire_duration_secondsacquired", "queue_wait_secondsacquired",
                    "connect_duration_secondsconnected",
                    "time_to_head_seconds", "lease_duration_seconds",
                ]
            )
            #expect(found.labels == [["trace_id": Self.trace]])
        }
    }

    @Test(
        "A traceparent that is invalid, not sampled or ambiguous becomes none",
        arguments: [
            ["00-\(trace)-00f067aa0ba902b7-00"], ["s3cret"], [""], [traceparent, traceparent],
            ["00-00000000000000000000000000000000-00f067aa0ba902b7-01"], [],
        ]
    )
    func none(traceparents: [String]) async throws {
        try await rig { client, upstream in
            let other = try #require(HTTPField.Name("Elevenchars"))
            var fields: HTTPFields = [.userAgent: "test", other: Self.traceparent]
            for value in traceparents { fields.append(HTTPField(name: Self.name, value: value)) }
            _ = try await client.execute("http://\(upstream.authority)/fast", headers: fields).collect()
            #expect(client.reading().durations.timeToHead.count == 1)
            #expect(try exemplars(client).families == [])
        }
    }

    @Test("A traced client's own traceparent becomes exemplars")
    func traced() async throws {
        let tracer = KeepingTracer()
        // The tracer numbers its spans from 0, which is no valid identifier.
        tracer.startSpan("before").end()
        try await rig { client, upstream in
            let traced = client.traced(by: tracer)
            _ = try await traced.execute("http://\(upstream.authority)/fast").collect()
            #expect(try exemplars(client).labels == [["trace_id": "0af7651916cd43dd8448eb211c80319c"]])
        }
    }

    @Test("Requests that got no connection become exemplars too, the last of them after the end of the pool")
    func failures() async throws {
        try await rig { client, upstream in
            let url = "http://\(upstream.authority)"
            let holder = Task { try await client.execute(url + "/hang") }
            try await eventually("the connection is taken") { client.reading().levels.requests.inFlight == 1 }
            var request = try HTTPRequest(url: url + "/fast", headerFields: [Self.name: Self.traceparent])
            var options = RequestOptions()
            options.timeouts.acquire = .milliseconds(20)
            let error = try await poolError { _ = try await client.execute(request, body: .none, options: options) }
            #expect(error.code == .acquireTimeout)
            let failed: Set = ["acquire_duration_secondsfailed", "queue_wait_secondsfailed"]
            #expect(try exemplars(client).families == failed)
            holder.cancel()
            await #expect(throws: CancellationError.self) { _ = try await holder.value }

            await client.shutdown(.immediate)
            let last = "11111111111111111111111111111111"
            request.headerFields[Self.name] = "00-\(last)-00f067aa0ba902b7-01"
            _ = try await poolError { _ = try await client.execute(request) }
            #expect(try exemplars(client).labels == [["trace_id": Self.trace], ["trace_id": last]])
        }
    }

    @Test("A request that is sent again on a new connection keeps its trace")
    func retried() async throws {
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            // The first connection dies of its second request.
            if number == 0 { _ = try connection.readRequest() } else { connection.waitForEnd() }
        }
        let client = try InstrumentedClient(CurlClient(), registry: PoolRegistry())
        _ = try await client.execute("http://\(peer.authority)/").collect()
        let fields: HTTPFields = [Self.name: Self.traceparent]
        _ = try await client.execute("http://\(peer.authority)/", headers: fields).collect()
        let reading = client.reading()
        #expect(reading.origins.first?.staleRetries == 1)
        #expect(reading.durations.timeToHead.cumulative.contains { $0.exemplar?.trace.description == Self.trace })
        await client.shutdown(.immediate)
        try await peer.stop()
    }
}
