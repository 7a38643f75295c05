import Glibc
package import HTTPPool

/// Why the endpoint cannot listen, in one line that names the variable to change.
public struct EndpointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The cause.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Name: String {
            case portTaken, unknownHost, hostNotHere, portNotAllowed, socketTaken, socketNotAllowed, credentials, tls,
                tlsNotBuilt, other
        }
        private let name: Name

        /// The port is in use.
        public static let portTaken = Code(name: .portTaken)
        /// The host cannot be resolved.
        public static let unknownHost = Code(name: .unknownHost)
        /// The address does not belong to this machine.
        public static let hostNotHere = Code(name: .hostNotHere)
        /// The process lacks the privilege to listen on the port, which is below 1024.
        public static let portNotAllowed = Code(name: .portNotAllowed)
        /// Another process listens on the Unix domain socket.
        public static let socketTaken = Code(name: .socketTaken)
        /// The Unix domain socket cannot be made at its path.
        public static let socketNotAllowed = Code(name: .socketNotAllowed)
        /// The file with the credentials cannot be used.
        public static let credentials = Code(name: .credentials)
        /// The certificate or its key cannot be used.
        public static let tls = Code(name: .tls)
        /// A certificate is configured, but the endpoint is not made by the module PoolEndpointTLS.
        public static let tlsNotBuilt = Code(name: .tlsNotBuilt)
        /// Another error of the system.
        public static let other = Code(name: .other)

        /// The name of the code.
        public var description: String { name.rawValue }
    }

    /// The cause.
    public let code: Code
    /// One line: the address, the reason, and the variable to change.
    public let description: String

    /// An error about the certificate or its key.
    package init(certificate reason: String, of configuration: EndpointConfiguration) {
        code = .tls
        let name = Self.name(.metricsTLSCertificateFile, in: configuration)
        description = "the metrics endpoint cannot use its certificate or key: \(reason); see \(name)"
    }

    init(_ code: Code, listeningAt configuration: EndpointConfiguration) {
        self.code = code
        let setting: PoolSetting =
            configuration.tlsCertificateFile == nil ? .metricsTLSKeyFile : .metricsTLSCertificateFile
        let name = Self.name(setting, in: configuration)
        description = "the metrics endpoint of this program does not speak TLS; unset \(name), or use PoolEndpointTLS"
    }

    private static func name(_ setting: PoolSetting, in configuration: EndpointConfiguration) -> String {
        configuration.source(of: setting).name ?? setting.property
    }

    init(_ error: any Error, listeningAt configuration: EndpointConfiguration) {
        if let fault = error as? CredentialsFile.Fault {
            code = .credentials
            let name = Self.name(.metricsCredentialsFile, in: configuration)
            description = "the metrics endpoint cannot read its credentials: \(fault); see \(name)"
            return
        }
        guard let failure = error as? ListenFailure else {
            code = .other
            description = "the metrics endpoint cannot listen: \(error)"
            return
        }
        let reason: String
        let (host, port, socket) = (
            Self.name(.metricsHost, in: configuration), Self.name(.metricsPort, in: configuration),
            Self.name(.metricsSocket, in: configuration)
        )
        switch failure.cause {
        case .unknownHost:
            code = .unknownHost
            reason = "the host cannot be resolved; set \(host) to an address of this machine"
        case .socketTaken:
            code = .socketTaken
            reason = "another process listens on it; set \(socket) to another path"
        case .notASocket:
            code = .socketNotAllowed
            reason = "the file is not a socket; set \(socket) to another path"
        case .system(let number) where failure.isUnixSocket:
            code = .socketNotAllowed
            reason = "\(String(cString: strerror(number))); set \(socket) to a path in a directory of the process"
        case .system(EADDRINUSE):
            code = .portTaken
            reason = "the port is in use; set \(port) to a free one, or to 0 to have one picked"
        case .system(EADDRNOTAVAIL):
            code = .hostNotHere
            reason = "no interface has this address; set \(host) to an address of this machine"
        case .system(EACCES):
            code = .portNotAllowed
            reason = "the process lacks the privilege for this port; set \(port) to one from 1024 to 65535"
        case .system(let number):
            code = .other
            reason = String(cString: strerror(number))
        }
        description = "the metrics endpoint cannot listen on \(failure.place): \(reason)"
    }
}

extension EndpointError: SettingFault {
    /// Whether a setting has to change before a start can succeed. An address in use does not count: it can become free.
    package var isOfSetting: Bool { [.credentials, .tls, .tlsNotBuilt].contains(code) }
}
