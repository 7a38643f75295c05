// swift-tools-version: 6.3
import PackageDescription

/// As in the main package.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "poolscope-benchmarks",
    dependencies: [
        .package(name: "poolscope", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        .systemLibrary(name: "CMalloc"),
        // The load loop and its counting, the same for every Swift client.
        .target(name: "Load", swiftSettings: strict),
        .target(
            name: "PoolPeer",
            dependencies: [
                "Load",
                .product(name: "CurlPool", package: "poolscope"),
                .product(name: "HTTPPool", package: "poolscope"),
                .product(name: "PoolMetrics", package: "poolscope"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "bench-client",
            dependencies: [
                "CMalloc", "Load", "PoolPeer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CurlPool", package: "poolscope"),
                .product(name: "HTTPPool", package: "poolscope"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "PoolEndpoint", package: "poolscope"),
                .product(name: "PoolMetrics", package: "poolscope"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(name: "instructions", dependencies: ["Load", "PoolPeer"], swiftSettings: strict),
        .executableTarget(
            name: "PoolBenchmarks",
            dependencies: [
                "PoolPeer",
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "CurlPool", package: "poolscope"),
                .product(name: "HTTPPool", package: "poolscope"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "PoolMetrics", package: "poolscope"),
            ],
            path: "Benchmarks/PoolBenchmarks",
            swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
