import Glibc
import HTTPPool
import NIOCore

/// Why the endpoint could not listen, in one line that says what to change.
public struct EndpointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Name: String { case portTaken, unknownHost, hostNotHere, portNotAllowed, other }
        private let name: Name

        /// Something listens on the port already.
        public static let portTaken = Code(name: .portTaken)
        /// The host does not resolve to an address.
        public static let unknownHost = Code(name: .unknownHost)
        /// The address is not one of this machine.
        public static let hostNotHere = Code(name: .hostNotHere)
        /// The process may not listen on the port: those below 1024 need a privilege.
        public static let portNotAllowed = Code(name: .portNotAllowed)
        /// The system refused for another reason.
        public static let other = Code(name: .other)

        /// The name of the code.
        public var description: String { name.rawValue }
    }

    /// What went wrong.
    public let code: Code
    /// One line: where the endpoint was to listen, why it cannot, and which variable to change.
    public let description: String

    init(_ error: any Error, listeningAt configuration: EndpointConfiguration) {
        let reason: String
        let host = configuration.source(of: .metricsHost).name ?? PoolSetting.metricsHost.property
        let port = configuration.source(of: .metricsPort).name ?? PoolSetting.metricsPort.property
        switch error {
        case is SocketAddressError.UnknownHost:
            code = .unknownHost
            reason =
                "the host does not resolve; set \(host) to an address of this machine"
        case let error as IOError where error.errnoCode == EADDRINUSE:
            code = .portTaken
            reason =
                "the port is taken; set \(port) to a free one, or to 0 to have one picked"
        case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
            code = .hostNotHere
            reason = "no interface has this address; set \(host) to one of this machine"
        case let error as IOError where error.errnoCode == EACCES:
            code = .portNotAllowed
            reason =
                "this process may not use the port; set \(port) to one from 1024 to 65535"
        default:
            code = .other
            reason = "\(error)"
        }
        let address = EndpointAddress(host: configuration.host, port: configuration.port)
        description = "the metrics endpoint cannot listen on \(address): \(reason)"
    }
}
