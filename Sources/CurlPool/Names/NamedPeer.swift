import Glibc

/// The peer of a connection, if it has a name that must be resolved.
struct NamedPeer: Sendable, Hashable {
    /// In lower case.
    let name: String
    let port: UInt16

    /// `nil` for an address, which needs no look-up, and for `localhost` and its subdomains, which never leave the
    /// machine (RFC 6761, 6.3): libcurl knows both loopback addresses.
    init?(host: String, port: UInt16) {
        let name = host.lowercased()
        guard !name.isEmpty, !name.hasPrefix("["), !Self.isIPv4(name), !Self.isLocalhost(name) else { return nil }
        self.name = name
        self.port = port
    }

    /// Recognizes all the forms that libcurl reads: `127.0.0.1`, `127.1`, `0x7f000001`.
    private static func isIPv4(_ name: String) -> Bool {
        var address = in_addr()
        return inet_aton(name, &address) != 0
    }

    private static func isLocalhost(_ name: String) -> Bool { name == "localhost" || name.hasSuffix(".localhost") }

    /// The addresses that are known without a look-up: fully qualified `localhost.` is localhost too, but libcurl
    /// does not treat it so.
    var ownAddresses: [String]? {
        name.hasSuffix(".") && Self.isLocalhost(String(name.dropLast())) ? ["::1", "127.0.0.1"] : nil
    }

    /// The entry for CURLOPT_RESOLVE. Its prefix `+` makes it expire like an entry of libcurl's own look-ups.
    func entry(for address: String) -> String {
        "+\(name):\(port):" + (address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]" : address)
    }
}
