import Glibc
import HTTPPool

/// A socket that listens, and is closed in programs that the process starts.
///
/// SwiftNIO would create it without `SOCK_CLOEXEC`, and with the largest backlog only if asked; a program that inherits it
/// keeps the port taken after this process has ended.
struct ListeningSocket: Sendable {
    let descriptor: Int32
    /// `nil` for a Unix domain socket.
    let address: EndpointAddress?
    /// The file of a Unix domain socket.
    let file: SocketFile?
    let isLoopback: Bool

    /// Connections that are established and not accepted yet. The kernel takes it for at most `net.core.somaxconn`, 4096 by
    /// default.
    static let backlog: Int32 = 4096

    /// Opens every socket of a configuration, or none.
    static func all(_ configuration: EndpointConfiguration, buffers: (send: Int, receive: Int)) throws
        -> [ListeningSocket]
    {
        var sockets: [ListeningSocket] = []
        do {
            let hosts = configuration.hosts
            for host in hosts {
                // With port 0 the system picks one for all.
                let port = sockets.first?.address?.port ?? configuration.port
                sockets.append(try tcp(host, port, isAlone: hosts.count == 1, buffers))
            }
            if let path = configuration.unixSocket { sockets.append(try unix(path, buffers)) }
            return sockets
        } catch {
            for socket in sockets { socket.abandon() }
            throw error
        }
    }

    /// Closes a socket that was not handed on.
    func abandon() {
        Glibc.close(descriptor)
        file?.remove()
    }

    private static func tcp(
        _ host: String,
        _ port: Int,
        isAlone: Bool,
        _ buffers: (send: Int, receive: Int)
    ) throws -> ListeningSocket {
        let place = "\(EndpointAddress(host: host, port: port))"
        var found: UnsafeMutablePointer<addrinfo>?
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let first = found else {
            throw ListenFailure(cause: .unknownHost, place: place, isUnixSocket: false)
        }
        defer { freeaddrinfo(first) }
        let info = first.pointee
        let descriptor = try open(info.ai_family, place, buffers)
        do {
            set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
            // Otherwise `::` would take the IPv4 addresses that another entry of the list names.
            if info.ai_family == AF_INET6, !isAlone { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0, listen(descriptor, backlog) == 0 else {
                throw ListenFailure(cause: .system(errno), place: place, isUnixSocket: false)
            }
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        let bound = BoundAddress(of: descriptor)
        return ListeningSocket(
            descriptor: descriptor,
            address: EndpointAddress(host: host, port: bound?.port ?? port),
            file: nil,
            isLoopback: bound?.isLoopback ?? false
        )
    }

    private static func unix(_ path: String, _ buffers: (send: Int, receive: Int)) throws -> ListeningSocket {
        try SocketFile.makeWay(at: path)
        let descriptor = try open(AF_UNIX, path, buffers)
        // Before the file exists, so that nobody else can connect in between; Linux takes the mode for the file.
        guard fchmod(descriptor, 0o600) == 0,
            SocketFile.withAddress(path, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, backlog) == 0
        else {
            let failure = ListenFailure(cause: .system(errno), place: path, isUnixSocket: true)
            Glibc.close(descriptor)
            throw failure
        }
        return ListeningSocket(descriptor: descriptor, address: nil, file: SocketFile(at: path), isLoopback: false)
    }

    private static func open(_ family: Int32, _ place: String, _ buffers: (send: Int, receive: Int)) throws -> Int32 {
        let type = Int32(bitPattern: SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else {
            throw ListenFailure(cause: .system(errno), place: place, isUnixSocket: family == AF_UNIX)
        }
        // Accepted sockets inherit them.
        set(descriptor, SOL_SOCKET, SO_SNDBUF, Int32(clamping: buffers.send))
        set(descriptor, SOL_SOCKET, SO_RCVBUF, Int32(clamping: buffers.receive))
        return descriptor
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// The address that a TCP socket is bound to.
private struct BoundAddress {
    let port: Int
    let isLoopback: Bool

    init?(of descriptor: Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Sound: the storage is aligned for every kind of address and larger than each.
        let bound: (port: Int, isLoopback: Bool)? = withUnsafeMutablePointer(to: &storage) { storage in
            let status = storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
            guard status == 0 else { return nil }
            switch Int32(storage.pointee.ss_family) {
            case AF_INET:
                return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                    let host = UInt32(bigEndian: address.pointee.sin_addr.s_addr)
                    return (Int(UInt16(bigEndian: address.pointee.sin_port)), host >> 24 == 127)
                }
            case AF_INET6:
                return storage.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                    let bytes = withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) }
                    let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10...11].allSatisfy { $0 == 0xFF }
                    let isOne = bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
                    let port = Int(UInt16(bigEndian: address.pointee.sin6_port))
                    return (port, isOne || (isMapped && bytes[12] == 127))
                }
            default: return nil
            }
        }
        guard let bound else { return nil }
        (port, isLoopback) = bound
    }
}
