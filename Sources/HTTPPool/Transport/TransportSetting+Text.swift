extension TransportSetting {
    /// Why a text is no value of a setting.
    enum Refusal: Error {
        /// It is none of what is allowed.
        case notAllowed
        /// It names exceptions from a proxy, and there is no proxy of ours.
        case withoutServer
    }

    /// Whether the reader must not show what it reads.
    var mayHoldSecret: Bool { self == .proxy }

    var allowedText: String {
        switch self {
        case .http2: "off or negotiated"
        case .caFile: "the path of a file with certificates in PEM form"
        case .minimumTLSVersion: "1.2 or 1.3"
        case .proxy: "none, environment, or http://[user:password@]host:port (or https://)"
        case .proxyExceptions: PoolProxy.Server.allowedExceptions
        case .decompression: "off or on"
        case .dnsCache: "seconds, from 0 to \(Int(PoolSetting.mostSeconds))"
        case .tcpKeepAlive: "whole seconds from 1 to \(PoolTransport.mostKeepAlive), or none"
        }
    }

    /// A wrong value as an error may show it. A password may stand anywhere in a proxy that could not be read, so that
    /// is shown only where it has nothing but a scheme, a host and a number.
    func shown(_ text: String) -> String {
        guard mayHoldSecret else { return text }
        let plain = /([A-Za-z0-9]*:\/\/)?([A-Za-z0-9._\-]*|\[[0-9A-Fa-f:.]*\])(:[0-9]*)?\/?/
        return text.wholeMatch(of: plain) == nil ? "(hidden)" : text
    }
}

extension PoolTransport {
    /// Sets one setting from the text of a variable.
    mutating func set(_ setting: TransportSetting, to text: String) throws(TransportSetting.Refusal) {
        switch setting {
        case .http2:
            guard let value = HTTP2(rawValue: text) else { throw .notAllowed }
            http2 = value
        case .caFile:
            guard PoolTLS.PEM.isPath(text) else { throw .notAllowed }
            tls.trust = .systemAnd(.file(text))
        case .minimumTLSVersion:
            guard let value = PoolTLS.Version(rawValue: text) else { throw .notAllowed }
            tls.minimumVersion = value
        case .proxy:
            switch text {
            case "none": proxy = .direct
            case "environment": proxy = .environment
            default:
                guard let server = PoolProxy.Server(url: text) else { throw .notAllowed }
                proxy = .server(server)
            }
        case .proxyExceptions:
            let entries = text.split(separator: ",", omittingEmptySubsequences: false).map(\.withoutSpaces)
            guard entries.allSatisfy(PoolProxy.Server.isException) else { throw .notAllowed }
            guard case .server(var server) = proxy else { throw .withoutServer }
            server.except = entries
            proxy = .server(server)
        case .decompression:
            switch text {
            case "off": decompression = .off
            case "on": decompression = .on()
            default: throw .notAllowed
            }
        case .dnsCache:
            guard case .duration(let seconds?)? = PoolSetting.seconds(text) else { throw .notAllowed }
            var changed = self
            changed.dnsCache = seconds
            guard changed.hasAllowedDNSCache else { throw .notAllowed }
            self = changed
        case .tcpKeepAlive:
            var changed = self
            if text == "none" {
                changed.tcpKeepAlive = nil
            } else {
                guard text.utf8.allSatisfy("0123456789".utf8.contains), let seconds = Int(text) else {
                    throw .notAllowed
                }
                changed.tcpKeepAlive = .seconds(seconds)
            }
            guard changed.hasAllowedKeepAlive else { throw .notAllowed }
            self = changed
        }
    }
}

extension Substring {
    /// Without the spaces around it.
    fileprivate var withoutSpaces: String {
        let begun = drop { $0 == " " }
        guard let last = begun.lastIndex(where: { $0 != " " }) else { return "" }
        return String(begun[...last])
    }
}
