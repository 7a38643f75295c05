private import Glibc

extension PoolProxy.Server {
    /// Parses `http://[user:password@]host:port`, user and password percent-encoded; `nil` for anything else.
    init?(url text: String) {
        guard let colon = text.firstRange(of: "://") else { return nil }
        var rest = text[colon.upperBound...]
        if rest.last == "/" { rest.removeLast() }
        var credentials: PoolProxy.Credentials?
        if let at = rest.lastIndex(of: "@") {
            guard let read = PoolProxy.Credentials(userinfo: rest[..<at]) else { return nil }
            credentials = read
            rest = rest[rest.index(after: at)...]
        }
        let scheme = text[..<colon.lowerBound].lowercased()
        // The port is required, because the default is ambiguous: curl uses 1080, others 80.
        guard let origin = try? Origin(scheme: scheme, authority: String(rest)), rest.hasSuffix(":\(origin.port)")
        else { return nil }
        self.init(host: origin.host, port: origin.port, credentials: credentials)
        self.scheme = scheme
        guard isAddress else { return nil }
    }

    /// Such as `http://(hidden)@proxy:3128`.
    var description: String { "\(scheme)://\(credentials == nil ? "" : "(hidden)@")\(host):\(port)" }

    /// Whether scheme, host and port are valid.
    var isAddress: Bool {
        guard scheme == "http" || scheme == "https", port > 0 else { return false }
        let origin = try? Origin(scheme: scheme, authority: "\(host):\(port)")
        return origin == Origin(scheme: scheme, host: host, port: port)
    }

    /// Whether the text is a host, a domain, a network, or `*` for everything. Other patterns are rejected, because
    /// curl and Go ignore them without a word: among them a network whose prefix is longer than its address, and one
    /// whose address is a name.
    static func isException(_ text: String) -> Bool {
        guard let match = text.wholeMatch(of: /([A-Za-z0-9._\-:\[\]]+)(?:\/([0-9]{1,3}))?/) else { return text == "*" }
        guard let bits = addressBits(match.1) else {
            // Exceptions are hosts: one with a port would never apply.
            return match.2 == nil && !match.1.contains { ":[]".contains($0) }
        }
        return match.2.map { prefix in Int(prefix).map { $0 <= bits } ?? false } ?? true
    }

    /// The length of an address in bits, an IPv6 address with or without brackets; `nil` for a name.
    private static func addressBits(_ text: Substring) -> Int? {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let address = String(isBracketed ? text.dropFirst().dropLast() : text)
        var bytes = in6_addr()
        if !isBracketed, inet_pton(AF_INET, address, &bytes) == 1 { return 32 }
        return inet_pton(AF_INET6, address, &bytes) == 1 ? 128 : nil
    }
}

extension PoolProxy.Credentials {
    /// Parses `user:password`, or a user alone.
    fileprivate init?(userinfo: Substring) {
        let parts = userinfo.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = parts.first?.withoutPercentEscapes,
            let password = parts.count < 2 ? "" : parts.last?.withoutPercentEscapes
        else { return nil }
        self.init(user: user, password: password)
        guard areAllowed else { return nil }
    }

    /// Whether they can be sent to a proxy (RFC 7617): the user is not empty and contains no colon, and neither
    /// contains a control character.
    var areAllowed: Bool {
        let user = user.value
        return !user.isEmpty && !user.utf8.contains(UInt8(ascii: ":"))
            && (user.utf8 + Array(password.value.utf8)).allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    }
}

extension Substring {
    /// The percent-decoded text; `nil` for an invalid escape or invalid UTF-8.
    fileprivate var withoutPercentEscapes: String? {
        var bytes: [UInt8] = []
        var rest = utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let value = UInt8(Substring(digits), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
