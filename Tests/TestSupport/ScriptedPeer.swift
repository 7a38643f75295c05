import Foundation
package import Glibc
import Synchronization

/// A peer on loopback that does exactly what a test tells it, good manners or not.
///
/// Each connection has a thread of its own, which runs the script with the connection's number (from 0) and ends it
/// by closing.
package final class ScriptedPeer: Sendable {
    package typealias Script = @Sendable (_ connection: Connection, _ number: Int) throws -> Void

    /// One accepted connection. Only the script's thread uses it.
    package final class Connection: Sendable {
        /// For what a script does beneath: TLS, options of the socket. It is closed when the script ends.
        package let descriptor: Int32
        private let buffered = Mutex<[UInt8]>([])

        fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

        /// Reads one request head and its body; `nil` at the end of the connection.
        package func readRequest() throws -> (head: String, body: [UInt8])? {
            guard let head = try readHead() else { return nil }
            return try readBody(of: head).map { (head, $0) }
        }

        /// Reads the body that the head announces with `Content-Length`; `nil` where the connection ends before its end.
        package func readBody(of head: String) throws -> [UInt8]? {
            let lengthLine = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let length = lengthLine.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
            while buffered.withLock({ $0.count }) < length { guard try receive() else { return nil } }
            return buffered.withLock { bytes in
                defer { bytes.removeFirst(length) }
                return Array(bytes.prefix(length))
            }
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

        private func receive() throws -> Bool {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            buffered.withLock { $0.append(contentsOf: buffer[..<count]) }
            return true
        }

        /// - Returns: whether all of it was sent.
        @discardableResult
        package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

        /// - Returns: whether all of it was sent.
        @discardableResult
        package func write(_ bytes: [UInt8]) -> Bool {
            var rest = bytes[...]
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard sent > 0 else { return false }
                rest = rest.dropFirst(sent)
            }
            return true
        }

        /// What is written until this is undone goes out as one segment, if it fits.
        package func cork(_ isCorked: Bool) {
            var value: Int32 = isCorked ? 1 : 0
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
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

        /// Waits for bytes and takes them; `false` at the end of the connection.
        package func readSome() -> Bool { (try? receive()) == true }

        /// Waits until there are bytes that were not read, and leaves them; `false` at the end of the connection.
        package func waitForMore() -> Bool { buffered.withLock { !$0.isEmpty } || readSome() }

        /// Waits until the other side has closed, and takes what it says meanwhile.
        package func waitForEnd() { while readSome() {} }

        /// Waits until the other side has closed, and takes no byte.
        package func waitForEndUnread() {
            let peerClosed: Int16 = 0x2000  // POLLRDHUP, which is Linux's own and not in Glibc's module.
            var state = pollfd(fd: descriptor, events: peerClosed, revents: 0)
            while poll(&state, 1, -1) < 0 {}
        }
    }

    /// The connections that it has.
    private final class Roll: Sendable {
        private struct State {
            var accepted = 0
            var open: Set<Int32> = []
            var isListening = true
            var isEnded = false
        }
        private let state = Mutex(State())

        var accepted: Int { state.withLock { $0.accepted } }
        var open: Int { state.withLock { $0.open.count } }
        var isListening: Bool { state.withLock { $0.isListening } }
        var isEnded: Bool { state.withLock { $0.isEnded } }

        /// - Returns: the connection's number; `nil` when no more are taken.
        func enter(_ descriptor: Int32) -> Int? {
            state.withLock { state in
                guard !state.isEnded else { return nil }
                state.open.insert(descriptor)
                defer { state.accepted += 1 }
                return state.accepted
            }
        }

        /// Closes a connection. Under the lock, so that nobody shuts down another one that has its number by then.
        func leave(_ descriptor: Int32) {
            state.withLock { state in
                state.open.remove(descriptor)
                close(descriptor)
            }
        }

        /// The listener, too, is closed by the one thread that uses it.
        func stopListening(_ listener: Int32) {
            state.withLock { state in
                state.isListening = false
                close(listener)
            }
        }

        /// Takes no more, and ends those that are open where `endsOpen` says so.
        func end(_ listener: Int32, endsOpen: Bool) {
            state.withLock { state in
                state.isEnded = true
                // This wakes the thread that waits in accept.
                if state.isListening { shutdown(listener, Int32(SHUT_RDWR)) }
                if endsOpen { for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) } }
            }
        }
    }

    package let port: UInt16
    private let listener: Int32
    private let roll = Roll()

    /// How many connections were accepted.
    package var connections: Int { roll.accepted }
    /// How many of them are open on this side.
    package var openConnections: Int { roll.open }
    package var authority: String { "127.0.0.1:\(port)" }

    /// Listens, on any free port where none is named.
    ///
    /// - Parameter loopback: the last number of its address, 127.0.0.1 unless it is another.
    package convenience init(port: UInt16 = 0, loopback: UInt8 = 1, _ script: @escaping Script) throws {
        self.init(listener: try Self.listen(backlog: 1024, port: port, loopback: loopback), script)
    }

    /// Listens on the loopback address of IPv6 alone, on any free port where none is named.
    package convenience init(onIPv6Port port: UInt16, _ script: @escaping Script) throws {
        self.init(listener: try Self.listenIPv6(port: port), script)
    }

    private init(listener: Int32, _ script: @escaping Script) {
        self.listener = listener
        self.port = Self.port(of: listener)
        Thread.detachNewThread { [listener, roll] in Self.acceptAll(listener, roll, script) }
    }

    private static func acceptAll(_ listener: Int32, _ roll: Roll, _ script: @escaping Script) {
        while !roll.isEnded {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { continue }
            // Programs that a test starts are not to hold the connection open.
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            guard let number = roll.enter(descriptor) else {
                close(descriptor)
                break
            }
            // A script that writes byte by byte sends byte by byte.
            var yes: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
            Thread.detachNewThread {
                try? script(Connection(descriptor: descriptor), number)
                roll.leave(descriptor)
            }
        }
        roll.stopListening(listener)
    }

    deinit { roll.end(listener, endsOpen: false) }

    /// Stops listening and ends every connection, and returns when none is left.
    ///
    /// A script finds its connection ended when it next reads or writes.
    package func stop() async throws {
        roll.end(listener, endsOpen: true)
        try await eventually("the peer has ended") { !roll.isListening && roll.open == 0 }
    }

    /// A listening socket that accepts nobody: after `backlog` connections the kernel drops every attempt.
    package static func listen(backlog: Int32, port: UInt16 = 0, loopback: UInt8 = 1) throws -> Int32 {
        let listener = try bind(port: port, loopback: loopback)
        guard Glibc.listen(listener, backlog) == 0 else {
            close(listener)
            throw TestFailure("listen: errno \(errno)")
        }
        return listener
    }

    private static func listenIPv6(port: UInt16) throws -> Int32 {
        let listener = socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw TestFailure("socket: errno \(errno)") }
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(listener, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
        guard isBound, Glibc.listen(listener, 1024) == 0 else {
            close(listener)
            throw TestFailure("bind to ::1: errno \(errno)")
        }
        return listener
    }

    /// A socket that is bound to a port, any free one where none is named, and does not listen.
    ///
    /// It keeps the port: connections to it are refused, nobody is lent it, and a listener can still be bound to it.
    package static func bind(port: UInt16 = 0, loopback: UInt8 = 1) throws -> Int32 {
        let bound = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard bound >= 0 else { throw TestFailure("socket: errno \(errno)") }
        var yes: Int32 = 1
        setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard withLoopback(loopback, port: port, { Glibc.bind(bound, $0, $1) }) == 0 else {
            close(bound)
            throw TestFailure("bind: errno \(errno)")
        }
        return bound
    }

    package static func port(of listener: Int32) -> UInt16 {
        // Both families have the port at the same place.
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &length) }
        }
        return UInt16(bigEndian: address.sin6_port)
    }
}

/// Calls `body` with the address of a port on loopback: of 127.0.0.1, or another last number.
package func withLoopback<Value>(
    _ last: UInt8 = 1,
    port: UInt16,
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Value
) rethrows -> Value {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = (in_addr_t(0x7f00_0000) + in_addr_t(last)).bigEndian
    return try withUnsafePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
