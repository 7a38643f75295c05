extension SettingDomain<PoolTLS.Trust> {
    /// A file with CA certificates to trust in addition to the system's.
    ///
    /// The file is not opened here; it is checked by the client that reads it.
    static var authorities: SettingDomain {
        let allowed = "the path of a file with certificates in PEM form"
        return SettingDomain(
            allowed: allowed,
            parse: { .systemAnd(.file($0)) },
            value: { trust in
                switch trust {
                case .system: .text("none")
                case .systemAnd(let pem): .text(pem.shown)
                case .only(let pem): .text("only \(pem.shown)")
                }
            },
            problem: { trust in
                switch trust {
                case .systemAnd(.file(let path)), .only(.file(let path)):
                    PoolTLS.PEM.isPath(path) ? nil : SettingProblem(value: path, allowed: allowed)
                case .system, .systemAnd(.bytes), .only(.bytes): nil
                }
            }
        )
    }
}

extension SettingDomain<PoolTransport.Decompression> {
    static var decompression: SettingDomain {
        SettingDomain(
            allowed: "off or on",
            parse: { $0 == "off" ? .off : $0 == "on" ? .on() : nil },
            value: { $0 == .off ? .text("off") : .text("on") },
            problem: { decompression in
                guard case .on(let maxRatio) = decompression, maxRatio < 1 else { return nil }
                return SettingProblem(value: "on(maxRatio: \(maxRatio))", allowed: "a maxRatio of at least 1")
            }
        )
    }
}

extension SettingDomain<PoolProxy> {
    /// `none`, `environment`, or the URL of a proxy. Its exceptions are a separate setting.
    static var proxy: SettingDomain {
        SettingDomain(
            allowed: "none, environment, or http://[user:password@]host:port (or https://)",
            mayHoldSecret: true,
            parse: { text in
                switch text {
                case "none": .direct
                case "environment": .environment
                default: PoolProxy.Server(url: text).map { .server($0) }
                }
            },
            value: { proxy in
                switch proxy {
                case .direct: .text("none")
                case .environment: .text("environment")
                case .server(let server): .text(server.description)
                }
            },
            problem: { proxy in
                guard case .server(let server) = proxy else { return nil }
                guard server.isAddress else {
                    return SettingProblem(
                        value: shownProxy("\(server.scheme)://\(server.host):\(server.port)"),
                        allowed: "http or https, a host (an IPv6 address in brackets) and a port from 1 to 65535"
                    )
                }
                guard server.credentials?.areAllowed != false else {
                    return SettingProblem(
                        value: "(hidden)",
                        allowed: "a user without a colon, and no control character in either"
                    )
                }
                return nil
            },
            shown: shownProxy
        )
    }

    /// An unparsable proxy may contain a password anywhere, so it is shown only if it consists of scheme, host and
    /// port.
    private static func shownProxy(_ text: String) -> String {
        let plain = /([A-Za-z0-9]*:\/\/)?([A-Za-z0-9._\-]*|\[[0-9A-Fa-f:.]*\])(:[0-9]*)?\/?/
        return text.wholeMatch(of: plain) == nil ? "(hidden)" : text
    }
}

extension SettingDomain<[String]> {
    /// Comma-separated hosts and networks that are reached without the proxy.
    static var proxyExceptions: SettingDomain {
        let allowed = "hosts, domains (.internal) and networks (10.0.0.0/8), separated by commas"
        return SettingDomain(
            allowed: allowed,
            mayHoldSecret: true,
            parse: { $0.split(separator: ",", omittingEmptySubsequences: false).map(\.withoutSpaces) },
            value: { .text($0.isEmpty ? "none" : $0.joined(separator: ",")) },
            problem: { entries in
                if entries.allSatisfy(PoolProxy.Server.isException) { return nil }
                let shown = shownExceptions(entries.joined(separator: ","))
                return SettingProblem(value: shown, allowed: allowed)
            },
            shown: shownExceptions
        )
    }

    /// A URL with credentials may have been given by mistake, so only text that looks like a list of hosts and
    /// networks is shown.
    private static func shownExceptions(_ text: String) -> String {
        let plain = /([A-Za-z0-9]*:\/\/)?([A-Za-z0-9._*\-]*|\[[0-9A-Fa-f:.]*\])(:[0-9]*|\/[0-9a-z]{0,3})?/
        let entries = text.split { ",; ".contains($0) }
        return entries.allSatisfy { $0.wholeMatch(of: plain) != nil } ? text : "(hidden)"
    }
}

extension SettingDomain<String> {
    /// The host names or addresses that the endpoint listens on.
    static var hosts: SettingDomain {
        let allowed = "host names or IP addresses, separated by commas, without brackets and port"
        return SettingDomain(
            allowed: allowed,
            parse: { $0 },
            value: { .text($0) },
            problem: { name in
                if EndpointHosts.list(name).allSatisfy(EndpointHosts.isAllowed) { return nil }
                return SettingProblem(value: shownHost(name), allowed: allowed)
            },
            shown: shownHost
        )
    }

    /// A URL with a password may have been given instead of a host.
    private static func shownHost(_ text: String) -> String { text.contains("@") ? "(hidden)" : text }
}

extension SettingDomain<String?> {
    /// The path of a Unix domain socket, or `none`.
    static var socketPath: SettingDomain {
        plain("an absolute path of at most 107 bytes, or none") {
            $0 == "none" ? .some(nil) : .some($0)
        } value: {
            .text($0 ?? "none")
        } allows: { path in
            // `sun_path` holds 108 bytes, the last of which is zero.
            guard let path else { return true }
            return path.hasPrefix("/") && !path.hasSuffix("/") && path.utf8.count <= 107 && !path.utf8.contains(0)
        }
    }
}

extension SettingDomain<String?> {
    /// The path of a file, or `none`. Whether the file can be used is found out by its reader.
    static var filePath: SettingDomain {
        plain("the path of a file, or none") {
            $0 == "none" ? .some(nil) : .some($0)
        } value: {
            .text($0 ?? "none")
        } allows: { path in
            path.map { !$0.isEmpty && !$0.utf8.contains(0) } ?? true
        }
    }
}

extension SettingDomain<Bool> {
    static var onOrOff: SettingDomain {
        plain("on or off") {
            $0 == "on" ? true : $0 == "off" ? false : nil
        } value: {
            .text($0 ? "on" : "off")
        } allows: { _ in
            true
        }
    }
}

extension PoolTLS.PEM {
    /// The path; never the content of a PEM in memory.
    fileprivate var shown: String {
        switch self {
        case .file(let path): path
        case .bytes: "(hidden)"
        }
    }

    /// Whether the text is a possible path.
    static func isPath(_ text: String) -> Bool { !text.isEmpty && !text.utf8.contains(0) }
}

extension Substring {
    /// The text without leading and trailing spaces.
    fileprivate var withoutSpaces: String {
        let begun = drop { $0 == " " }
        guard let last = begun.lastIndex(where: { $0 != " " }) else { return "" }
        return String(begun[...last])
    }
}
