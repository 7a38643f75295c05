import Glibc
import HTTPPool

/// The hosts, domains and networks that are reached without the proxy, following curl's reading of `no_proxy`.
struct ProxyExceptions: Sendable {
    private enum Entry: Sendable {
        case everything
        /// The domain and its subdomains.
        case domain(String)
        case network(Network)
    }

    private let entries: [Entry]

    var isEmpty: Bool { entries.isEmpty }

    init(_ texts: [String]) {
        // curl recognizes `*` only on its own; here it means everything in a list as well.
        entries = texts.compactMap { text in
            if text == "*" { return .everything }
            if let network = Network(text) { return .network(network) }
            // Normalized as the hosts of origins are.
            let name = Origin(scheme: "http", host: text.trimmingDots, port: 80).host
            return name.isEmpty ? nil : .domain(name)
        }
    }

    /// Whether a host (in lower case, an IPv6 address in brackets) is excepted.
    func cover(_ host: String) -> Bool {
        guard !entries.isEmpty else { return false }
        let address = Network.bytes(of: host) ?? Network.bytes(ofOldForm: host)
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        return entries.contains { entry in
            switch entry {
            case .everything: true
            case .domain(let domain): address == nil && (name == domain || name.hasSuffix("." + domain))
            case .network(let network): address.map(network.contains) ?? false
            }
        }
    }

    /// An address, or all addresses with the same prefix.
    private struct Network: Sendable {
        private let address: [UInt8]
        private let bits: Int

        /// Parses `10.0.0.0/8`, `fd00::/8`, `[::1]`.
        init?(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let first = parts.first, let address = Self.bytes(of: String(first)) else { return nil }
            var bits = address.count * 8
            if parts.count > 1 {
                guard let number = Int(parts[1]), (0...bits).contains(number) else { return nil }
                // curl treats a prefix length of 0 as none.
                if number > 0 { bits = number }
            }
            self.address = address
            self.bits = bits
        }

        func contains(_ other: [UInt8]) -> Bool {
            guard other.count == address.count else { return false }
            let (whole, rest) = bits.quotientAndRemainder(dividingBy: 8)
            guard other[..<whole] == address[..<whole] else { return false }
            guard rest > 0 else { return true }
            let mask = ~(UInt8.max >> rest)
            return other[whole] & mask == address[whole] & mask
        }

        /// The bytes of an IPv4 address in any of the forms that libcurl accepts: `127.1`, `0x7f000001`.
        static func bytes(ofOldForm host: String) -> [UInt8]? {
            var address = in_addr()
            guard inet_aton(host, &address) != 0 else { return nil }
            return withUnsafeBytes(of: &address) { Array($0) }
        }

        /// The bytes of an address, with or without brackets; `nil` for a name.
        static func bytes(of host: String) -> [UInt8]? {
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            let text = isBracketed ? String(host.dropFirst().dropLast()) : host
            var bytes = [UInt8](repeating: 0, count: 16)
            if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
            return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
        }
    }
}

extension String {
    /// `example.com` for `.example.com` and `example.com.`.
    fileprivate var trimmingDots: String {
        var rest = self[...]
        if rest.last == "." { rest.removeLast() }
        if rest.first == "." { rest.removeFirst() }
        return String(rest)
    }
}
