// swift-tools-version: 6.3
import PackageDescription

// A package outside PoolScope that measures a client library of its own. It sees public modules only.
let package = Package(
    name: "adapter",
    products: [.library(name: "LineClient", targets: ["LineClient"])],
    dependencies: [
        .package(name: "poolscope", path: "../.."),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
    ],
    targets: [
        .target(
            name: "LineClient",
            dependencies: [
                .product(name: "HTTPPool", package: "poolscope"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        .testTarget(
            name: "LineClientTests",
            dependencies: [
                "LineClient",
                .product(name: "HTTPPool", package: "poolscope"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "PoolMetrics", package: "poolscope"),
                .product(name: "PoolTesting", package: "poolscope"),
            ]
        ),
    ]
)
