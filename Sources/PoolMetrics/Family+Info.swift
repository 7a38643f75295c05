import HTTPPool

/// The labels of the families whose information is in their labels.
extension Family {
    typealias Labels = [(name: String, value: String)]

    static func transport(of reading: PoolReading) -> Labels {
        let transport = reading.configuration.transport
        let proxy =
            switch transport.proxy {
            case .direct: "none"
            case .environment: "environment"
            case .server: "configured"
            }
        return [
            ("pool", reading.name),
            ("http2", value(of: .http2, in: reading)),
            ("proxy", proxy),
            ("decompression", transport.decompression == .off ? "off" : "on"),
            ("tls_min", value(of: .minimumTLSVersion, in: reading)),
        ]
    }

    /// `nil` for the rows that several origins share.
    static func origin(_ origin: OriginReading, of reading: PoolReading) -> Labels? {
        let label = origin.label.utf8
        guard let colon = label.firstIndex(of: UInt8(ascii: ":")), let port = label.lastIndex(of: UInt8(ascii: ":")),
            case let authority = label[colon...].dropFirst("://".utf8.count), authority.startIndex <= port
        else { return nil }
        let host = authority[..<port]
        let isIPv6 = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
        return [
            ("pool", reading.name),
            ("origin", origin.label),
            ("scheme", String(Substring(label[..<colon]))),
            ("server_address", String(Substring(isIPv6 ? host.dropFirst().dropLast() : host))),
            ("server_port", String(Substring(label[port...].dropFirst()))),
        ]
    }

    static func backend(of reading: PoolReading) -> Labels {
        let library = reading.backend.library.split(separator: "/", maxSplits: 1)
        return [
            ("pool", reading.name),
            ("library", library.first.map(String.init) ?? ""),
            ("library_version", library.count > 1 ? String(library[1]) : ""),
            ("tls", reading.backend.tls),
        ]
    }

    private static func value(of setting: PoolSetting, in reading: PoolReading) -> String {
        reading.configuration.value(of: setting).description
    }
}
