import HTTPTypes

extension PoolTransport {
    /// What is wrong with a transport, whoever made it. No secret is in it.
    ///
    /// Whether files can be read, and what is in them, is for the client that reads them.
    ///
    /// - Parameter name: what a setting is called.
    func problems(name: (TransportSetting) -> String) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func refuse(_ name: String, _ value: String, allowed: String) {
            problems.append(ConfigurationError.Problem(name: name, value: value, allowed: allowed))
        }
        switch tls.trust {
        case .systemAnd(.file(let path)), .only(.file(let path)):
            if !PoolTLS.PEM.isPath(path) {
                refuse(name(.caFile), path, allowed: TransportSetting.caFile.allowedText)
            }
        default: break
        }
        for case .file(let path)? in [tls.identity?.certificate, tls.identity?.privateKey]
        where !PoolTLS.PEM.isPath(path) {
            refuse("transport.tls.identity", path, allowed: TransportSetting.caFile.allowedText)
        }
        if case .server(let server) = proxy {
            if !server.isAddress {
                let address = "\(server.scheme)://\(server.host):\(server.port)"
                refuse(
                    name(.proxy),
                    TransportSetting.proxy.shown(address),
                    allowed: "http or https, a host (an IPv6 address in brackets) and a port from 1 to 65535"
                )
            }
            if server.credentials?.areAllowed == false {
                refuse(name(.proxy), "(hidden)", allowed: "a user without a colon, and no control character in either")
            }
            if !server.except.allSatisfy(PoolProxy.Server.isException) {
                let text = server.except.joined(separator: ",")
                refuse(name(.proxyExceptions), text, allowed: PoolProxy.Server.allowedExceptions)
            }
        }
        if case .on(let maxRatio) = decompression, maxRatio < 1 {
            refuse(name(.decompression), "on(maxRatio: \(maxRatio))", allowed: "a maxRatio from 1")
        }
        if !hasAllowedDNSCache {
            refuse(name(.dnsCache), "\(dnsCache.inSeconds)", allowed: TransportSetting.dnsCache.allowedText)
        }
        if !hasAllowedKeepAlive {
            let text = tcpKeepAlive.map { "\($0.inSeconds)" } ?? "none"
            refuse(name(.tcpKeepAlive), text, allowed: TransportSetting.tcpKeepAlive.allowedText)
        }
        for field in defaultHeaders {
            switch field.name {
            case .contentLength, .transferEncoding, .expect, HTTPField.Name("Host"):
                refuse("transport.defaultHeaders", field.name.rawName, allowed: "no field that is of one request alone")
            default:
                guard field.valueKind == .forbidden else { continue }
                refuse("transport.defaultHeaders", field.name.rawName, allowed: "a value without control characters")
            }
        }
        return problems
    }
}

extension PoolTransport {
    /// More is refused by the kernel.
    static let mostKeepAlive = 32767

    var hasAllowedDNSCache: Bool { dnsCache >= .zero && dnsCache.inSeconds <= PoolSetting.mostSeconds }

    var hasAllowedKeepAlive: Bool {
        guard let tcpKeepAlive else { return true }
        let (seconds, fraction) = tcpKeepAlive.components
        return fraction == 0 && (1...Int64(Self.mostKeepAlive)).contains(seconds)
    }
}

extension PoolTLS.PEM {
    /// Whether a text can be a path at all.
    static func isPath(_ text: String) -> Bool { !text.isEmpty && !text.utf8.contains(0) }
}
