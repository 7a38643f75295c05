private import Dispatch
private import Glibc

/// Answers every request on one connection with 200 bytes, from a thread of its own, until the peer closes it.
struct OneConnectionPeer {
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
                bind(listener, address, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard listens else { throw NoPort() }
        port = UInt16(bigEndian: address.sin_port)
        DispatchQueue(label: "one-connection-peer").async { Self.serve(listener) }
    }

    private static func serve(_ listener: Int32) {
        let connection = accept(listener, nil, nil)
        close(listener)
        defer { close(connection) }
        let body = String(repeating: "x", count: 200)
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n\(body)".utf8)
        var buffer = [UInt8](repeating: 0, count: 4096)
        // A GET this small arrives in one piece, and the next one comes after the answer.
        while recv(connection, &buffer, buffer.count, 0) > 0 {
            guard send(connection, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count else { return }
        }
    }
}

/// The system gave no port to listen on.
struct NoPort: Error {}
