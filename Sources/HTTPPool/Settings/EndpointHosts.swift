private import Glibc

/// The syntax of the hosts that an endpoint listens on.
enum EndpointHosts {
    /// The hosts of a list that is separated by commas; blanks around them do not count.
    static func list(_ text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map { host in
            String(host.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Whether a text is an IP address, or can be the name of a host.
    static func isAllowed(_ host: String) -> Bool { isAddress(host) || isName(host) }

    /// Whether a text is an IP address; that of IPv6 without brackets, perhaps with a zone.
    private static func isAddress(_ host: String) -> Bool {
        var address = in6_addr()
        if inet_pton(AF_INET, host, &address) == 1 { return true }
        let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard inet_pton(AF_INET6, String(parts[0]), &address) == 1 else { return false }
        return parts.count == 1 || (!parts[1].isEmpty && parts[1].utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D })
    }

    /// Names of hosts (RFC 1123, 2.1), with underscores, which some networks have. The last label is never a number, so
    /// that a mistyped IPv4 address is no name.
    private static func isName(_ host: String) -> Bool {
        let name = host.hasSuffix(".") ? host.dropLast() : host[...]
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, let last = labels.last, !last.allSatisfy(isDigit) else { return false }
        return labels.allSatisfy { label in
            guard let first = label.first, let last = label.last, label.count <= 63 else { return false }
            return first != UInt8(ascii: "-") && last != UInt8(ascii: "-")
                && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

extension EndpointConfiguration {
    /// A problem for each host that cannot be resolved now. It asks the system's resolver, and waits for it.
    package func unresolvedHosts() -> [ConfigurationError.Problem] {
        hosts.filter { EndpointHosts.isAllowed($0) && !Self.isResolved($0) }.map { host in
            let allowed = "addresses of this machine, or names that resolve to one"
            return sources.problem(.metricsHost, SettingProblem(value: host, allowed: allowed))
        }
    }

    private static func isResolved(_ host: String) -> Bool {
        var found: UnsafeMutablePointer<addrinfo>?
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        let status = getaddrinfo(host, nil, &hints, &found)
        if let found { freeaddrinfo(found) }
        return status == 0
    }
}
