/// Where an endpoint listens.
public struct EndpointAddress: Sendable, Hashable, CustomStringConvertible {
    /// The host as it was configured.
    public let host: String
    /// The port, the picked one where the configuration says 0.
    public let port: Int

    /// `127.0.0.1:9464`, an IPv6 address in brackets.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
