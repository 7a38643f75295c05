private import Glibc

/// A port of loopback where every connection is opened and none is answered.
///
/// It does not accept by itself: the kernel completes the connections and keeps them in the backlog. So a thousand of
/// them cost this process nothing that would be measured.
struct SilentListener: Sendable {
    let port: UInt16
    private let listener: Int32

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
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Answers the next so many requests with the head of an answer and the beginning of its body, and says no more.
    func beginAnswers(_ count: Int) {
        let beginning = Array("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nthe beginning".utf8)
        for _ in 0..<count {
            let connection = accept(listener, nil, nil)
            var byte: UInt8 = 0
            guard recv(connection, &byte, 1, 0) == 1 else { continue }
            _ = send(connection, beginning, beginning.count, Int32(MSG_NOSIGNAL))
        }
    }
}

/// The system gave no port to listen on.
struct NoPort: Error, CustomStringConvertible {
    var description: String { "the system gave no port to listen on" }
}
