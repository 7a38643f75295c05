/// The settings of the endpoint.
extension PoolSetting {
    /// ``EndpointConfiguration/host``.
    public static let metricsHost = PoolSetting(
        "metrics_host",
        key: "metricsHost",
        label: "endpoint host",
        property: "endpoint.host",
        .endpoint,
        \.endpoint.values.host,
        .hosts,
        "the addresses that the endpoint listens on; `0.0.0.0` is every address of the machine"
    )
    /// ``EndpointConfiguration/port``.
    public static let metricsPort = PoolSetting(
        "metrics_port",
        key: "metricsPort",
        label: "endpoint port",
        property: "endpoint.port",
        .endpoint,
        \.endpoint.values.port,
        .port,
        "the TCP port of the endpoint"
    )
    /// ``EndpointConfiguration/unixSocket``.
    public static let metricsSocket = PoolSetting(
        "metrics_socket",
        key: "metricsSocket",
        label: "endpoint socket",
        property: "endpoint.unixSocket",
        .endpoint,
        \.endpoint.values.unixSocket,
        .socketPath,
        "a Unix domain socket that the endpoint listens on as well, for its own user only"
    )
    /// ``EndpointConfiguration/processMetrics``.
    public static let metricsProcess = PoolSetting(
        "metrics_process",
        key: "metricsProcess",
        label: "process metrics",
        property: "endpoint.processMetrics",
        .endpoint,
        \.endpoint.values.processMetrics,
        .onOrOff,
        "whether `/metrics` has the `process_` families; off where another library exposes them"
    )
    /// ``EndpointConfiguration/credentialsFile``.
    public static let metricsCredentialsFile = PoolSetting(
        "metrics_credentials_file",
        key: "metricsCredentialsFile",
        label: "endpoint credentials",
        property: "endpoint.credentialsFile",
        .endpoint,
        \.endpoint.values.credentialsFile,
        .filePath,
        "a file with the tokens and passwords that requests to the endpoint must present, one on each line"
    )
    /// ``EndpointConfiguration/tlsCertificateFile``.
    public static let metricsTLSCertificateFile = PoolSetting(
        "metrics_tls_certificate_file",
        key: "metricsTlsCertificateFile",
        label: "endpoint certificate",
        property: "endpoint.tlsCertificateFile",
        .endpoint,
        \.endpoint.values.tlsCertificateFile,
        .filePath,
        "a PEM file with the endpoint's certificate and those that sign it; the endpoint then speaks TLS only"
    )
    /// ``EndpointConfiguration/tlsKeyFile``.
    public static let metricsTLSKeyFile = PoolSetting(
        "metrics_tls_key_file",
        key: "metricsTlsKeyFile",
        label: "endpoint key",
        property: "endpoint.tlsKeyFile",
        .endpoint,
        \.endpoint.values.tlsKeyFile,
        .filePath,
        "a PEM file with the private key of the endpoint's certificate"
    )
}
