// swift-tools-version: 6.3
import PackageDescription

/// A warning is an error, in this package alone: SwiftPM drops the setting where the package is a dependency.
/// `POOLSCOPE_WARNINGS=1` builds it all the same with a compiler that warns of more than those that were tried.
let warnings: [SwiftSetting] =
    Context.environment["POOLSCOPE_WARNINGS"] == nil ? [.treatAllWarnings(as: .error)] : []

/// Every target is built in Swift 6 language mode, with the language's stricter readings switched on.
let strict: [SwiftSetting] =
    warnings + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]

let package = Package(
    name: "poolscope",
    products: [
        .library(name: "PoolScope", targets: ["PoolScope"]),
        .library(name: "HTTPPool", targets: ["HTTPPool"]),
        .library(name: "HTTPRetry", targets: ["HTTPRetry"]),
        .library(name: "CurlPool", targets: ["CurlPool"]),
        .library(name: "PoolMetrics", targets: ["PoolMetrics"]),
        .library(name: "PoolMetricsBridge", targets: ["PoolMetricsBridge"]),
        .library(name: "PoolTracing", targets: ["PoolTracing"]),
        .library(name: "PoolEndpoint", targets: ["PoolEndpoint"]),
        .library(name: "PoolEndpointTLS", targets: ["PoolEndpointTLS"]),
        .library(name: "PoolTesting", targets: ["PoolTesting"]),
        .library(name: "SharedPool", targets: ["SharedPool"]),
        .executable(name: "poolscope", targets: ["PoolScopeTool"]),
    ],
    traits: [
        .default(enabledTraits: ["ConfigurationFiles"]),
        .trait(
            name: "ConfigurationFiles",
            description:
                "Settings from a JSON file that is followed: SettingsSnapshot, and swift-configuration's JSON and Reloading."
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.0.4"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(
            url: "https://github.com/apple/swift-configuration",
            from: "1.4.0",
            traits: [
                .trait(name: "JSON", condition: .when(traits: ["ConfigurationFiles"])),
                .trait(name: "Reloading", condition: .when(traits: ["ConfigurationFiles"])),
            ]
        ),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.29.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.1.4"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibcurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibidn2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CLibz", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLibbrotlidec", pkgConfig: "libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
        .systemLibrary(name: "CLibzstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(
            name: "HTTPPool",
            dependencies: [
                "CLibidn2",
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "HTTPRetry",
            dependencies: ["HTTPPool", .product(name: "HTTPTypes", package: "swift-http-types")],
            swiftSettings: strict
        ),
        // The codings of bodies, undone piece by piece.
        .target(
            name: "Unpacking",
            dependencies: ["CLibbrotlidec", "CLibz", "CLibzstd"],
            swiftSettings: strict
        ),
        // Who gets which connection. It depends on nothing that could reach a socket or a clock.
        .target(
            name: "PoolDecisions",
            dependencies: ["HTTPPool", .product(name: "HeapModule", package: "swift-collections")],
            swiftSettings: strict
        ),
        .target(
            name: "CurlPool",
            dependencies: [
                "CLinux", "CLibcurl", "HTTPPool", "PoolDecisions", "Unpacking",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "PoolMetrics",
            dependencies: ["HTTPPool", .product(name: "HTTPTypes", package: "swift-http-types")],
            swiftSettings: strict
        ),
        // The numbers in any backend of swift-metrics.
        .target(
            name: "PoolMetricsBridge",
            dependencies: [
                "HTTPPool", "PoolMetrics",
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // Requests as spans of any backend of swift-distributed-tracing.
        .target(
            name: "PoolTracing",
            dependencies: [
                "HTTPPool",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "PoolPages",
            dependencies: ["HTTPPool", "PoolMetrics"],
            swiftSettings: strict
        ),
        .target(
            name: "PoolEndpoint",
            dependencies: [
                "AcceptGuarding", "CLibz", "HTTPPool", "PoolMetrics", "PoolPages",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // Apart, so that only those who serve metrics with TLS build it.
        .target(
            name: "PoolEndpointTLS",
            dependencies: [
                "HTTPPool", "PoolEndpoint", "PoolMetrics",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict
        ),
        // What the tests of an adapter need.
        .target(name: "PoolTesting", dependencies: ["HTTPPool", "PoolMetrics"], swiftSettings: strict),
        .target(
            name: "SharedPool",
            dependencies: [
                "CurlPool", "HTTPPool", "PoolMetrics", "PoolTracing",
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["ConfigurationFiles"])),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // One import for a service.
        .target(
            name: "PoolScope",
            dependencies: [
                "CurlPool", "HTTPPool", "HTTPRetry", "PoolEndpoint", "PoolMetrics", "PoolTracing", "SharedPool",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // What a server does without file descriptors; no product.
        .target(
            name: "AcceptGuarding",
            dependencies: [.product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: strict
        ),
        .target(
            name: "LoopbackUpstream",
            dependencies: [
                "AcceptGuarding",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "PoolScopeTool",
            dependencies: [
                "CurlPool", "HTTPPool", "LoopbackUpstream", "PoolEndpoint", "PoolMetrics", "SharedPool",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),
        // What several test targets need; no product.
        .target(
            name: "TestSupport",
            dependencies: [
                "HTTPPool",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        // The service of the README, as it is there; no product.
        .executableTarget(
            name: "ReadmeService",
            dependencies: ["PoolScope"],
            path: "Tests/ReadmeService",
            swiftSettings: warnings
        ),
        // A server that goes wrong, for the tests of what the pool does then; no product.
        .target(name: "FaultServer", dependencies: ["TestSupport"], path: "Tests/FaultServer", swiftSettings: strict),
        .testTarget(
            name: "HTTPPoolTests",
            dependencies: [
                "HTTPPool",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "HTTPRetryTests",
            dependencies: [
                "CurlPool", "HTTPPool", "HTTPRetry", "LoopbackUpstream", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PoolScopeTests",
            dependencies: ["PoolScope", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PoolTestingTests",
            dependencies: ["HTTPPool", "PoolMetrics", "PoolTesting", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(name: "UnpackingTests", dependencies: ["TestSupport", "Unpacking"], swiftSettings: strict),
        .testTarget(
            name: "PoolDecisionsTests",
            dependencies: ["HTTPPool", "LoopbackUpstream", "PoolDecisions", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CurlPoolTests",
            dependencies: [
                "CLibcurl", "CurlPool", "HTTPPool", "LoopbackUpstream", "PoolMetrics", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PoolMetricsTests",
            dependencies: [
                "TestSupport", "HTTPPool", "PoolMetrics",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            exclude: ["exposition.openmetrics.txt", "exposition.txt", "series.txt"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PoolMetricsBridgeTests",
            dependencies: [
                "CurlPool", "HTTPPool", "LoopbackUpstream", "PoolMetrics", "PoolMetricsBridge", "TestSupport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PoolTracingTests",
            dependencies: [
                "CurlPool", "HTTPPool", "HTTPRetry", "LoopbackUpstream", "PoolMetrics", "PoolTracing", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PoolPagesTests",
            dependencies: ["HTTPPool", "PoolMetrics", "PoolPages", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PoolEndpointTests",
            dependencies: [
                "AcceptGuarding", "HTTPPool", "LoopbackUpstream", "PoolEndpoint", "PoolMetrics", "PoolPages",
                "TestSupport",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PoolEndpointTLSTests",
            dependencies: [
                "HTTPPool", "PoolEndpoint", "PoolEndpointTLS", "PoolMetrics", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "SharedPoolTests",
            dependencies: [
                "SharedPool", "CurlPool", "HTTPPool", "LoopbackUpstream", "PoolMetrics", "TestSupport",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "CurlPool", "HTTPPool", "LoopbackUpstream", "PoolEndpoint", "PoolMetrics", "PoolPages", "SharedPool",
                "TestSupport", "PoolScopeTool", "ReadmeService",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "CurlPool", "FaultServer", "HTTPPool", "LoopbackUpstream", "PoolEndpoint", "PoolMetrics", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        // Incidents from their beginning to their end, with the pages that a person reads meanwhile.
        .testTarget(
            name: "IncidentTests",
            dependencies: [
                "CurlPool", "HTTPPool", "PoolEndpoint", "PoolMetrics", "SharedPool", "TestSupport",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),
        // What real servers and networks do: each case with the report or the specification that it comes from.
        .testTarget(
            name: "FieldTests",
            dependencies: [
                "CurlPool", "FaultServer", "HTTPPool", "LoopbackUpstream", "PoolEndpoint", "PoolMetrics", "PoolTesting",
                "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
