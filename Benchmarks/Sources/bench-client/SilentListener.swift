private import Glibc

/// A port of loopback where every connection is opened and none is answered.
///
/// It never accepts: the kernel completes the connections and keeps them in the backlog. So a thousand of them cost
/// this process nothing that would be measured.
struct SilentListener {
    let port: UInt16

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = withUnsafeMutablePointer(to: &address) { address in
            // Sound: a `sockaddr_in` is what these calls take as a `sockaddr` of the family AF_INET.
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 4096) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard listens else { throw NoPort() }
        port = UInt16(bigEndian: address.sin_port)
    }
}

/// The system gave no port to listen on.
struct NoPort: Error, CustomStringConvertible {
    var description: String { "the system gave no port to listen on" }
}
