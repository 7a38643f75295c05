import Testing

@testable import HTTPPool

/// A key that is ignored is worse than none: blazing-Gael/dcms #35 ran with its defaults for a typo, and
/// telemt/telemt #760 for months. But a file may be the service's too.
@Suite("A key outside of httpClient")
struct MisplacedKeyTests {
    private static let settings = PoolSetting.table.map(\.key)

    private func find(_ names: [String], group: String = "httpClient") -> MisplacedKeys.Findings {
        let hasGroup = names.contains { $0.hasPrefix(group + ".") }
        return MisplacedKeys(group: group, settings: Self.settings).find(among: names, hasGroup: hasGroup)
    }

    @Test(
        "is refused where it is a setting, or nearly, in a file without httpClient",
        arguments: [
            ("maxConnections", "maxConnections"), ("maxconnections", "maxConnections"),
            ("max_connections", "maxConnections"), ("maxConnectons", "maxConnections"), ("poolTimeuot", "poolTimeout"),
            ("timeout", "timeout"), ("proxy", "proxy"), ("http2", "http2"),
        ]
    )
    func setting(key: String, nearest: String) {
        let found = find([key, "feature.on"])
        #expect(found.certain == [.init(name: key, nearest: "httpClient.\(nearest)")])
        #expect(found.doubtful.isEmpty)
    }

    @Test(
        "is refused where the group is misspelt",
        arguments: ["httpclient", "HTTPClient", "http_client", "http-client", "httpClients", "httpCleint", "htpClient"]
    )
    func group(name: String) {
        for beside in [[], ["httpClient.timeout"]] {
            let found = find(["\(name).maxConnections", "\(name).colour"] + beside)
            #expect(found.certain == [.init(name: name, nearest: "httpClient")], "\(beside)")
            #expect(found.doubtful.isEmpty)
            #expect(found.cover("\(name).colour"))
        }
    }

    @Test(
        "is left alone where it is the service's",
        arguments: [
            "http", "https", "port", "timeouts", "name", "client.timeout", "database.maxConnections", "server.proxy",
            "timeout.database", "proxy.host", "maxConnections.database", "httpServer.timeout", "tcpClient.address",
        ]
    )
    func others(key: String) {
        for beside in [[], ["httpClient.timeout"]] {
            let found = find([key] + beside)
            #expect(found.certain.isEmpty && found.doubtful.isEmpty, "\(found)")
        }
    }

    @Test(
        "is a warning where it may be the service's",
        arguments: [
            ("timeout", "httpClient.timeout"), ("proxy", "httpClient.proxy"), ("headTimeout", "httpClient.readTimeout"),
        ]
    )
    func doubtful(key: String, nearest: String) {
        let found = find([key, "httpClient.maxConnections"])
        #expect(found.certain.isEmpty)
        #expect(found.doubtful == [.init(name: key, nearest: nearest)])
        let group = find(["tcpClient.connectTimeout", "httpClient.maxConnections"])
        #expect(group.certain.isEmpty)
        #expect(group.doubtful == [.init(name: "tcpClient", nearest: "httpClient")])
    }

    @Test("is a setting at the level of a scoped reader, and nowhere else")
    func scope() {
        let found = find(
            ["health.maxConnections", "health.httpclient.timeout", "maxConnections", "httpclient.timeout"],
            group: "health.httpClient"
        )
        #expect(
            found.certain == [
                .init(name: "health.httpclient", nearest: "health.httpClient"),
                .init(name: "health.maxConnections", nearest: "health.httpClient.maxConnections"),
            ]
        )
        #expect(found.doubtful.isEmpty)
    }
}
