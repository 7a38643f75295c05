import Foundation
import Glibc
import Synchronization

/// A peer on loopback that does exactly what a test tells it, good manners or not.
///
/// Each connection has a thread of its own, which runs the script with the connection's number (from 0) and ends it
/// by closing.
package final class ScriptedPeer: Sendable {
    package typealias Script = @Sendable (_ connection: Connection, _ number: Int) throws -> Void

    /// One accepted connection. Only the script's thread uses it.
    package final class Connection: Sendable {
        fileprivate let descriptor: Int32
        private let buffered = Mutex<[UInt8]>([])

        fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

        /// Reads one request head and its body; `nil` at the end of the connection.
        package func readRequest() throws -> (head: String, body: [UInt8])? {
            guard let head = try readHead() else { return nil }
            let lengthLine = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let length = lengthLine.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
            while buffered.withLock({ $0.count }) < length { guard try receive() else { return nil } }
            let body = buffered.withLock { bytes in
                defer { bytes.removeFirst(length) }
                return Array(bytes.prefix(length))
            }
            return (head, body)
        }

        private func readHead() throws -> String? {
            while true {
                let head: String? = buffered.withLock { bytes in
                    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
                    defer { bytes.removeSubrange(..<end.upperBound) }
                    return String(decoding: bytes[..<end.upperBound], as: UTF8.self)
                }
                if let head { return head }
                guard try receive() else { return nil }
            }
        }

        private func receive() throws -> Bool {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            buffered.withLock { $0.append(contentsOf: buffer[..<count]) }
            return true
        }

        /// Reads a request head and leaves its body.
        package func readHeadOnly() throws -> String? { try readHead() }

        /// Reads a body that comes chunked.
        package func readChunks() throws -> [UInt8] {
            var body: [UInt8] = []
            while let line = try readLine(), let count = Int(line, radix: 16) {
                while buffered.withLock({ $0.count }) < count + 2 { guard try receive() else { return body } }
                buffered.withLock { bytes in
                    body += bytes.prefix(count)
                    bytes.removeFirst(count + 2)
                }
                if count == 0 { return body }
            }
            return body
        }

        private func readLine() throws -> String? {
            while true {
                let line: String? = buffered.withLock { bytes in
                    guard let end = bytes.firstRange(of: Array("\r\n".utf8)) else { return nil }
                    defer { bytes.removeSubrange(..<end.upperBound) }
                    return String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                }
                if let line { return line }
                guard try receive() else { return nil }
            }
        }

        package func write(_ text: String) { write(Array(text.utf8)) }

        package func write(_ bytes: [UInt8]) { _ = writeAll(bytes) }

        /// - Returns: whether the connection took them.
        package func writeAll(_ bytes: [UInt8]) -> Bool {
            var rest = bytes[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard sent > 0 else { return false }
                rest = rest.dropFirst(sent)
            }
            return true
        }

        /// Waits until the other side has closed, and takes no byte meanwhile.
        package func waitWithoutReading() {
            var state = pollfd(fd: descriptor, events: 0, revents: 0)
            poll(&state, 1, -1)
        }

        /// A plain answer of status 200.
        package func answer(_ body: String, headers: String = "") {
            write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
        }

        /// The connection ends with a reset instead of a close.
        package func reset() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }

        /// Waits until the other side has closed.
        package func waitForEnd() { while (try? receive()) == true {} }
    }

    package let port: UInt16
    private let listener: Int32
    private let counted = Mutex(0)

    /// How many connections were accepted.
    package var connections: Int { counted.withLock { $0 } }
    package var authority: String { "127.0.0.1:\(port)" }

    package init(_ script: @escaping Script) throws {
        listener = try Self.listen(backlog: 128)
        port = Self.port(of: listener)
        let listener = listener
        let peer = Weak(self)
        Thread.detachNewThread {
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                let number = peer.value?.count() ?? 0
                Thread.detachNewThread {
                    let connection = Connection(descriptor: descriptor)
                    try? script(connection, number)
                    close(descriptor)
                }
            }
        }
    }

    deinit {
        // Closing alone does not wake the thread that waits in accept.
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func count() -> Int {
        counted.withLock { counted in
            defer { counted += 1 }
            return counted
        }
    }

    private final class Weak: Sendable {
        weak let value: ScriptedPeer?
        init(_ value: ScriptedPeer) { self.value = value }
    }

    /// A listening socket that accepts nobody: after `backlog` connections the kernel drops every attempt.
    package static func listen(backlog: Int32) throws -> Int32 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw TestFailure("socket: errno \(errno)") }
        try withLoopback(port: 0) { address, length in
            guard bind(listener, address, length) == 0, Glibc.listen(listener, backlog) == 0 else {
                throw TestFailure("listen: errno \(errno)")
            }
        }
        return listener
    }

    package static func port(of listener: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// Calls `body` with the address of a port on loopback.
func withLoopback<Value>(
    port: UInt16,
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Value
) rethrows -> Value {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    return try withUnsafePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
