internal import Benchmark
internal import CurlPool
internal import HTTPPool
internal import HTTPTypes
internal import PoolMetrics
internal import PoolPeer

// What happens inside a process: the meter, the rendering, and one round trip.
// Names hold no spaces: with spaces the tool's comparison with a baseline always fails.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration.metrics = [.wallClock, .throughput]
    Benchmark.defaultConfiguration.maxDuration = .seconds(3)

    Benchmark("meter-turn-of-192-events", configuration: .init(scalingFactor: .kilo)) { benchmark in
        let (observer, client) = try StillPool.observed(as: benchmark.name)
        observer.poolDidTurn(.introducing(origins: 1))
        let turn = PoolTurn.ofRequests(64)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { observer.poolDidTurn(turn) }
        benchmark.stopMeasurement()
        withExtendedLifetime(client) {}
    }

    Benchmark("render-64-origins") { benchmark in
        let (observer, client) = try StillPool.observed(as: benchmark.name)
        observer.poolDidTurn(.introducing(origins: 64))
        observer.poolDidTurn(.ofEverything(origins: 64))
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(Exposition.text([client.reading()], process: nil)) }
        benchmark.stopMeasurement()
    }

    Benchmark("round-trip-bare") { benchmark in try await roundTrips(benchmark, CurlClient()) }

    Benchmark("round-trip-instrumented") { benchmark in
        try await roundTrips(benchmark, InstrumentedClient(CurlClient(), name: benchmark.name))
    }
}

/// Round trips on one kept-alive connection to a thread of this process, whose CPU is part of the figures.
@Sendable private func roundTrips(_ benchmark: Benchmark, _ client: any PooledHTTPClient) async throws {
    let peer = try OneConnectionPeer()
    let request = HTTPRequest(method: .get, scheme: "http", authority: "127.0.0.1:\(peer.port)", path: "/")
    _ = try await client.execute(request)
    benchmark.startMeasurement()
    for _ in 0..<100 { blackHole(try await client.execute(request)) }
    benchmark.stopMeasurement()
    await client.shutdown()
}
