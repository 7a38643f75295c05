import TestSupport
import Testing

@Suite("poolscope config", .serialized)
struct ConfigCommandTests {
    @Test("prints every setting with its default, its source and the variable that would set it")
    func defaults() async throws {
        let result = try await Tool.run(["config"])
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        let lines = result.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(
            lines == [
                "max_connections 200 default HTTP_CLIENT_MAX_CONNECTIONS",
                "max_connections_per_origin none default HTTP_CLIENT_MAX_CONNECTIONS_PER_ORIGIN",
                "max_idle_connections 100 default HTTP_CLIENT_MAX_KEEPALIVE",
                "max_queued_requests none default HTTP_CLIENT_MAX_QUEUED",
                "queue_order fair default HTTP_CLIENT_QUEUE_ORDER",
                "keepalive_expiry_seconds 30.0 s default HTTP_CLIENT_KEEPALIVE_EXPIRY",
                "max_connection_lifetime_seconds none default HTTP_CLIENT_MAX_CONNECTION_LIFETIME",
                "connect_timeout_seconds 10.0 s default HTTP_CLIENT_CONNECT_TIMEOUT",
                "acquire_timeout_seconds 30.0 s default HTTP_CLIENT_POOL_TIMEOUT",
                "read_timeout_seconds 30.0 s default HTTP_CLIENT_READ_TIMEOUT",
                "write_timeout_seconds 30.0 s default HTTP_CLIENT_WRITE_TIMEOUT",
                "total_timeout_seconds none default HTTP_CLIENT_TOTAL_TIMEOUT",
                "http2 off default HTTP_CLIENT_HTTP2",
                "ca_file none default HTTP_CLIENT_CA_FILE",
                "tls_min_version 1.2 default HTTP_CLIENT_TLS_MIN_VERSION",
                "proxy none default HTTP_CLIENT_PROXY",
                "no_proxy none default HTTP_CLIENT_NO_PROXY",
                "decompression off default HTTP_CLIENT_DECOMPRESSION",
                "dns_cache_seconds 60.0 s default HTTP_CLIENT_DNS_CACHE",
                "tcp_keepalive_seconds 60.0 s default HTTP_CLIENT_TCP_KEEPALIVE",
                "max_origin_series 64 default HTTP_CLIENT_MAX_ORIGIN_SERIES",
                "max_site_series 32 default HTTP_CLIENT_MAX_SITE_SERIES",
                "series_retention_seconds 600.0 s default HTTP_CLIENT_SERIES_RETENTION",
                "overdue_lease_seconds 60.0 s default HTTP_CLIENT_OVERDUE_LEASE",
                "metrics_host 127.0.0.1 default HTTP_CLIENT_METRICS_HOST",
                "metrics_port 9464 default HTTP_CLIENT_METRICS_PORT",
                "metrics_socket none default HTTP_CLIENT_METRICS_SOCKET",
                "metrics_process on default HTTP_CLIENT_METRICS_PROCESS",
                "metrics_credentials_file none default HTTP_CLIENT_METRICS_CREDENTIALS_FILE",
                "metrics_tls_certificate_file none default HTTP_CLIENT_METRICS_TLS_CERTIFICATE_FILE",
                "metrics_tls_key_file none default HTTP_CLIENT_METRICS_TLS_KEY_FILE",
            ]
        )
    }

    /// `ulimit -n` sets both limits, so that `run` cannot raise its own.
    @Test("warns of more connections than the process may have descriptors", arguments: ["config", "run"])
    func descriptors(command: String) async throws {
        let arguments = command == "run" ? ["run", "--duration", "0.2", "--concurrency", "1"] : [command]
        for (variables, value) in [([:], "200"), (["HTTP_CLIENT_MAX_CONNECTIONS": "150"], "150")] {
            let result = try await Tool.start(
                arguments,
                variables.merging(["HTTP_CLIENT_METRICS_PORT": "0"]) { $1 },
                descriptors: 160
            ).end()
            #expect(result.status == 0, "\(result.errors)")
            let warning =
                "warning: HTTP_CLIENT_MAX_CONNECTIONS is \"\(value)\"; allowed: at most 128, which fit into RLIMIT_NOFILE (160)\n"
            #expect(result.errors == warning)
        }
        let fits = try await Tool.start(["config"], ["HTTP_CLIENT_MAX_CONNECTIONS": "128"], descriptors: 160).end()
        #expect(fits.errors == "")
    }

    @Test("takes HTTP_CLIENT_TIMEOUT for acquire, read and write, except where one has its own variable")
    func timeoutForAll() async throws {
        let all = try await rows(["HTTP_CLIENT_TIMEOUT": "2.5"])
        let fromAll = ["2.5", "s", "environment", "HTTP_CLIENT_TIMEOUT"]
        for phase in ["acquire", "read", "write"] { #expect(all["\(phase)_timeout_seconds"] == fromAll) }
        #expect(all["connect_timeout_seconds"] == ["10.0", "s", "default", "HTTP_CLIENT_CONNECT_TIMEOUT"])
        #expect(all["total_timeout_seconds"] == ["none", "default", "HTTP_CLIENT_TOTAL_TIMEOUT"])

        let one = try await rows(["HTTP_CLIENT_TIMEOUT": "2.5", "HTTP_CLIENT_POOL_TIMEOUT": "0"])
        #expect(one["acquire_timeout_seconds"] == ["0.0", "s", "environment", "HTTP_CLIENT_POOL_TIMEOUT"])
        #expect(one["read_timeout_seconds"] == fromAll)
    }

    @Test("lets the idle limit that nobody set follow the limit of connections down")
    func idleFollows() async throws {
        let rows = try await rows(["HTTP_CLIENT_MAX_CONNECTIONS": "50"])
        #expect(rows["max_connections"] == ["50", "environment", "HTTP_CLIENT_MAX_CONNECTIONS"])
        #expect(rows["max_idle_connections"] == ["50", "default", "HTTP_CLIENT_MAX_KEEPALIVE"])
    }

    @Test("shows a proxy without its user and password, also where it is wrong")
    func proxy() async throws {
        let rows = try await rows(["HTTP_CLIENT_PROXY": "http://user:sesame@proxy:3128"])
        #expect(rows["proxy"] == ["http://(hidden)@proxy:3128", "environment", "HTTP_CLIENT_PROXY"])
        for command in ["config", "run"] {
            let result = try await Tool.run([command], ["HTTP_CLIENT_PROXY": "http://user:sesame@proxy"])
            #expect(result.status == 78)
            #expect(result.output.isEmpty)
            #expect(result.errors.contains("HTTP_CLIENT_PROXY is \"(hidden)\"; allowed: "))
        }
    }

    @Test("refuses certificates that cannot be read as run does, with the variable and the reason")
    func authorities() async throws {
        let cases = [
            ("/nonexistent", "No such file or directory"), ("/tmp", "Is a directory"),
            ("/etc/hostname", "it is not PEM"),
        ]
        for command in ["config", "run"] {
            for (path, reason) in cases {
                let result = try await Tool.run([command], ["HTTP_CLIENT_CA_FILE": path])
                #expect(result.status == 78)
                #expect(result.output.isEmpty)
                #expect(result.errors.contains("HTTP_CLIENT_CA_FILE is \"\(path)\"; allowed: "), "\(result.errors)")
                #expect(result.errors.contains(reason), "\(result.errors)")
            }
        }
    }

    @Test("refuses a host on which the endpoint cannot listen as run does", arguments: ["config", "run"])
    func host(command: String) async throws {
        let result = try await Tool.run([command], ["HTTP_CLIENT_METRICS_HOST": "192.0.2.1"])
        #expect(result.status == 1)
        #expect(
            result.errors.contains("set HTTP_CLIENT_METRICS_HOST to an address of this machine"),
            "\(result.errors)"
        )
    }

    @Test("reports a host that cannot be resolved together with everything else", arguments: ["config", "run"])
    func unresolvedHost(command: String) async throws {
        let variables = ["HTTP_CLIENT_METRICS_HOST": "127.0.0.1,no-such-host.invalid", "HTTP_CLIENT_TIMEOUT": "0"]
        let result = try await Tool.run([command], variables)
        #expect(result.status == 78)
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 2, "\(lines)")
        #expect(
            lines.contains { $0.contains("HTTP_CLIENT_METRICS_HOST is \"no-such-host.invalid\"; allowed: ") },
            "\(lines)"
        )
    }

    @Test("ends with a status where its output cannot be written")
    func fullDevice() async throws {
        let path = try Tool.path
        let result = try await Program("sh", ["-c", "\"$0\" config >/dev/full", path]).end()
        #expect(result.status == 1)
    }

    @Test("warns of a variable that is not a setting, and refuses such a key of a file", arguments: ["config", "run"])
    func unknown(command: String) async throws {
        let short = command == "run" ? ["run", "--duration", "0.2", "--concurrency", "1"] : [command]
        let port = ["HTTP_CLIENT_METRICS_PORT": "0"]
        let warned = try await Tool.run(short, port.merging(["HTTP_CLIENT_MAX_CONNECTONS": "40"]) { $1 })
        #expect(warned.status == 0)
        let typo = "warning: HTTP_CLIENT_MAX_CONNECTONS is not a setting; did you mean HTTP_CLIENT_MAX_CONNECTIONS?"
        #expect(warned.errors.contains(typo), "\(warned.errors)")

        let file = try SettingsFile(#"{"httpClient": {"maxConnectons": 40, "proxy": {}}}"#)
        let refused = try await Tool.run([command, "--config", file.path], port)
        #expect(refused.status == 78)
        #expect(
            refused.errors.contains(
                "httpClient.maxConnectons is not a setting; did you mean httpClient.maxConnections?"
            )
        )
        #expect(
            refused.errors.contains(#"httpClient.proxy is "neither text nor a number"; allowed: none, environment"#)
        )
    }

    @Test(
        "never repeats an address that stands where none should",
        arguments: [
            ["run", "https://user:sesame@host/"], ["config", "user:sesame@host"], ["https://host/?key=sesame"],
            ["run", "--duration", "https://user:sesame@host/"], ["run", "--targt=https://user:sesame@host/"],
            ["run", "--target", "http://good/", "http://user:sesame@host/"],
        ]
    )
    func strayAddress(arguments: [String]) async throws {
        let result = try await Tool.run(arguments)
        #expect(result.status == 64)
        #expect(!result.errors.isEmpty)
        #expect(!(result.errors + result.output).contains("sesame"), "\(result.errors)")
    }

    @Test("takes from a file what the environment does not say")
    func file() async throws {
        let file = try SettingsFile(#"{"httpClient": {"maxConnections": 50, "timeout": 2.5, "http2": "negotiated"}}"#)
        let rows = try await rows(["HTTP_CLIENT_MAX_CONNECTIONS": "60"], ["--config", file.path])
        #expect(rows["max_connections"] == ["60", "environment", "HTTP_CLIENT_MAX_CONNECTIONS"])
        #expect(rows["read_timeout_seconds"] == ["2.5", "s", "file", "httpClient.timeout"])
        #expect(rows["http2"] == ["negotiated", "file", "httpClient.http2"])
        #expect(rows["max_idle_connections"] == ["60", "default", "HTTP_CLIENT_MAX_KEEPALIVE"])
    }

    @Test(
        "says in one line what is wrong with a file",
        arguments: [
            (#"{"httpClient": {"maxConnections": 0}}"#, #"httpClient.maxConnections is "0"; allowed: "#),
            (#"{"httpClient": {"#, ": it is not valid JSON: it ends too early"), ("[]", ": it is not a JSON object"),
            (nil, ".json.not: no such file"),
            (#"{"maxConnections": 4}"#, "maxConnections is not a setting; did you mean"),
            (#"{"httpclient": {"timeout": 4}}"#, "httpclient is not a setting; did you mean httpClient?"),
        ]
    )
    func wrongFile(text: String?, says: String) async throws {
        let file = try SettingsFile(text ?? "{}")
        let path = text == nil ? file.path + ".not" : file.path
        for command in ["config", "run"] {
            let result = try await Tool.run([command, "--config", path])
            #expect(result.status == 78)
            #expect(result.output.isEmpty)
            #expect(result.errors.contains(says), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        }
    }

    @Test(
        "refuses a file of credentials that cannot be used as run does, with its variable and the line, and nothing of it",
        arguments: [
            ("bearer one\nsesame\n", "line 2 is neither"), ("# bearer sesame\n", "it has no 'bearer TOKEN'"),
            (nil, "No such file or directory"),
        ]
    )
    func credentials(text: String?, says: String) async throws {
        let file = try SettingsFile(text ?? "")
        let path = text == nil ? file.path + ".not" : file.path
        let variables = ["HTTP_CLIENT_METRICS_CREDENTIALS_FILE": path, "HTTP_CLIENT_METRICS_PORT": "0"]
        for command in ["config", "run"] {
            let result = try await Tool.run([command], variables)
            #expect(result.status == 78)
            #expect(result.output.isEmpty)
            #expect(result.errors.contains(says), "\(result.errors)")
            #expect(result.errors.hasSuffix("see HTTP_CLIENT_METRICS_CREDENTIALS_FILE\n"), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1 && !result.errors.contains("sesame"))
        }
    }

    @Test("warns of a file that has no httpClient, and of a key that may be meant as a setting")
    func withoutGroup() async throws {
        let file = try SettingsFile(#"{"feature": {"on": true}}"#)
        let result = try await Tool.run(["config", "--config", file.path])
        #expect(result.status == 0)
        #expect(
            result.errors
                == "warning: the settings file has no object httpClient, so none of its values is a setting\n"
        )
        try file.write(#"{"timeout": 3, "httpClient": {"readTimeout": 4}}"#)
        let doubtful = try await Tool.run(["config", "--config", file.path])
        #expect(doubtful.status == 0)
        #expect(doubtful.errors == "warning: timeout is not a setting; did you mean httpClient.timeout?\n")
    }

    @Test("refuses a proxy of the environment that is not valid as run does, without its value")
    func environmentProxy() async throws {
        let variables = [
            "HTTP_CLIENT_PROXY": "environment", "https_proxy": "http://user:sesame@pro xy:1",
            "http_proxy": "sesame:99999",
            "HTTP_CLIENT_MAX_QUEUED": "x",
        ]
        for command in ["config", "run"] {
            let result = try await Tool.run([command], variables)
            #expect(result.status == 78)
            let lines = result.errors.split(separator: "\n")
            #expect(lines.count == 3, "\(lines)")
            #expect(lines.dropFirst().first?.hasPrefix("http_proxy is \"(hidden)\"; allowed: ") == true)
            #expect(lines.last?.hasPrefix("https_proxy is \"(hidden)\"; allowed: ") == true)
            #expect(!result.errors.contains("sesame"))
        }
    }

    @Test("names every wrong variable at once, with its value and what is allowed")
    func everyProblem() async throws {
        let result = try await Tool.run(
            ["config"],
            [
                "HTTP_CLIENT_MAX_CONNECTIONS": "abc", "HTTP_CLIENT_TIMEOUT": "-3", "HTTP_CLIENT_METRICS_PORT": "http",
                "HTTP_CLIENT_CA_FILE": "/nonexistent",
            ]
        )
        #expect(result.status == 78)
        #expect(result.output.isEmpty)
        for (name, value) in [
            ("MAX_CONNECTIONS", "abc"), ("TIMEOUT", "-3"), ("METRICS_PORT", "http"), ("CA_FILE", "/nonexistent"),
        ] {
            #expect(result.errors.contains("HTTP_CLIENT_\(name) is \"\(value)\"; allowed: "))
        }
        #expect(result.errors.split(separator: "\n").count == 4)
    }

    @Test(
        "refuses a value that is not allowed",
        arguments: [
            ("MAX_CONNECTIONS", "0"), ("MAX_CONNECTIONS", "-1"), ("MAX_CONNECTIONS", "1.5"), ("MAX_CONNECTIONS", ""),
            ("MAX_CONNECTIONS", "99999999999999999999"), ("MAX_CONNECTIONS", "none"), ("MAX_KEEPALIVE", "201"),
            ("MAX_KEEPALIVE", "-1"), ("MAX_CONNECTIONS_PER_ORIGIN", "0"), ("MAX_QUEUED", "-1"), ("TIMEOUT", ""),
            ("TIMEOUT", "0"), ("TIMEOUT", "nan"), ("TIMEOUT", "1e999"), ("POOL_TIMEOUT", "-1"), ("READ_TIMEOUT", "0"),
            ("WRITE_TIMEOUT", "inf"), ("CONNECT_TIMEOUT", "10s"), ("TOTAL_TIMEOUT", "99999999999999999999"),
            ("KEEPALIVE_EXPIRY", "-0.5"), ("MAX_CONNECTION_LIFETIME", "0"), ("METRICS_PORT", "65536"),
            ("METRICS_PORT", ""), ("METRICS_HOST", ""), ("METRICS_HOST", "300.1.1.1"),
            ("METRICS_HOST", "no-such-host.invalid"),
            ("METRICS_SOCKET", "a.sock"), ("METRICS_PROCESS", "yes"), ("HTTP2", "on"), ("CA_FILE", ""),
            ("TLS_MIN_VERSION", "1.1"),
            ("PROXY", "proxy:3128"), ("NO_PROXY", "a"), ("DECOMPRESSION", "gzip"),
        ]
    )
    func wrongValue(name: String, value: String) async throws {
        for command in ["config", "run"] {
            let result = try await Tool.run([command], ["HTTP_CLIENT_\(name)": value])
            #expect(result.status == 78)
            #expect(result.output.isEmpty)
            let lines = result.errors.split(separator: "\n")
            #expect(lines.count == 1)
            #expect(lines.first?.contains("HTTP_CLIENT_\(name) is \"\(value)\"; allowed: ") == true, "\(lines)")
        }
    }

    /// What `poolscope config` prints with these variables, by setting.
    private func rows(
        _ variables: [String: String],
        _ arguments: [String] = []
    ) async throws -> [String: [String]] {
        let result = try await Tool.run(["config"] + arguments, variables)
        #expect(result.status == 0, "\(result.errors)")
        return result.output.split(separator: "\n").reduce(into: [:]) { rows, line in
            let words = line.split(separator: " ").map(String.init)
            rows[words[0]] = Array(words.dropFirst())
        }
    }
}
