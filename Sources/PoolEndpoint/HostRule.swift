private import Glibc

/// Which hosts a request may name.
///
/// A page of the web can have its own name resolve to a loopback address, and then read what is served there ("DNS
/// rebinding"): the browser takes it for the page's own site. Such a request still names the site in `Host`.
struct HostRule: Sendable, Hashable {
    /// The names and addresses that are configured; `nil` where every host is served.
    let local: Set<String>?

    /// An address that others than this machine reach, or a Unix domain socket, which no browser does.
    static let every = HostRule(local: nil)

    /// A loopback address, listened on as `hosts`.
    static func loopback(as hosts: [String]) -> HostRule { HostRule(local: Set(hosts.map { $0.lowercased() })) }

    /// Checks the host of a request: `example.com:80`, `[::1]`.
    func check(_ host: String) throws(HeadFault) {
        guard let name = Self.name(in: host) else { throw .bad("Host is not a host and a port") }
        guard let local, !Self.isAddress(name) else { return }
        let plain = (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
        guard plain == "localhost" || plain.hasSuffix(".localhost") || local.contains(plain) else { throw .host }
    }

    /// The host without its port; `nil` if the text has another form (RFC 3986, 3.2).
    private static func name(in text: String) -> String? {
        let bytes = Array(text.utf8)
        let end: Int
        if bytes.first == UInt8(ascii: "[") {
            guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            end = bracket + 1
            guard isAddress(String(decoding: bytes[..<end], as: UTF8.self)) else { return nil }
        } else {
            end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            guard end > 0,
                bytes[..<end].allSatisfy({ $0.isTokenByte && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "|") })
            else { return nil }
        }
        let port = bytes[end...]
        guard
            port.isEmpty
                || (port.first == UInt8(ascii: ":") && port.count <= 6 && port.dropFirst().allSatisfy(\.isDigit))
        else { return nil }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// Whether a host is an IP address, that of IPv6 in brackets.
    private static func isAddress(_ host: String) -> Bool {
        var address = in6_addr()
        guard host.hasPrefix("["), host.hasSuffix("]") else { return inet_pton(AF_INET, host, &address) == 1 }
        return inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &address) == 1
    }
}
