import Glibc
import HTTPPool
import NIOCore

/// Why the endpoint cannot listen, in one line that names the variable to change.
public struct EndpointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The cause.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Name: String { case portTaken, unknownHost, hostNotHere, portNotAllowed, other }
        private let name: Name

        /// The port is in use.
        public static let portTaken = Code(name: .portTaken)
        /// The host cannot be resolved.
        public static let unknownHost = Code(name: .unknownHost)
        /// The address does not belong to this machine.
        public static let hostNotHere = Code(name: .hostNotHere)
        /// The process lacks the privilege to listen on the port, which is below 1024.
        public static let portNotAllowed = Code(name: .portNotAllowed)
        /// Another error of the system.
        public static let other = Code(name: .other)

        /// The name of the code.
        public var description: String { name.rawValue }
    }

    /// The cause.
    public let code: Code
    /// One line: the address, the reason, and the variable to change.
    public let description: String

    init(_ error: any Error, listeningAt configuration: EndpointConfiguration) {
        let reason: String
        let host = configuration.source(of: .metricsHost).name ?? PoolSetting.metricsHost.property
        let port = configuration.source(of: .metricsPort).name ?? PoolSetting.metricsPort.property
        switch error {
        case is SocketAddressError.UnknownHost:
            code = .unknownHost
            reason =
                "the host cannot be resolved; set \(host) to an address of this machine"
        case let error as IOError where error.errnoCode == EADDRINUSE:
            code = .portTaken
            reason =
                "the port is in use; set \(port) to a free one, or to 0 to have one picked"
        case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
            code = .hostNotHere
            reason = "no interface has this address; set \(host) to an address of this machine"
        case let error as IOError where error.errnoCode == EACCES:
            code = .portNotAllowed
            reason =
                "the process lacks the privilege for this port; set \(port) to one from 1024 to 65535"
        default:
            code = .other
            reason = "\(error)"
        }
        let address = EndpointAddress(host: configuration.host, port: configuration.port)
        description = "the metrics endpoint cannot listen on \(address): \(reason)"
    }
}
