/// The address that an endpoint listens on.
public struct EndpointAddress: Sendable, Hashable, CustomStringConvertible {
    /// The configured host.
    public let host: String
    /// The TCP port; the one picked by the system if 0 was configured.
    public let port: Int

    /// Such as `127.0.0.1:9464`; an IPv6 address is in brackets.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
