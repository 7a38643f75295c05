import Glibc
import HTTPPool
import PoolMetrics
import TestSupport

@testable import PoolEndpoint

/// An endpoint on a port that the system picks, for as long as `body` runs.
func withEndpoint<Value>(
    registry: PoolRegistry = PoolRegistry(),
    allowance: Allowance = Allowance(),
    log: LogLines = LogLines(),
    _ body: (EndpointAddress) async throws -> Value
) async throws -> Value {
    let endpoint = MetricsEndpoint(
        EndpointConfiguration(host: "127.0.0.1", port: 0),
        registry: registry,
        logger: log.logger(),
        allowance: allowance
    )
    let address = try await endpoint.start()
    do {
        let value = try await body(address)
        await endpoint.stop()
        return value
    } catch {
        await endpoint.stop()
        throw error
    }
}

/// A plain TCP connection for what no decent client would send. Reads end with an error after `patience`, in seconds.
final class RawConnection: Sendable {
    private let descriptor: Int32

    init(port: Int, patience: Int = 10) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw TestFailure("socket: errno \(errno)") }
        var deadline = timeval(tv_sec: patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &deadline, size)
        guard withLoopback(port: UInt16(port), { connect(descriptor, $0, $1) }) == 0 else {
            throw TestFailure("connect: errno \(errno)")
        }
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws { try send(bytes: Array(text.utf8)) }

    func send(bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw TestFailure("send: errno \(errno)") }
            rest = rest.dropFirst(sent)
        }
    }

    /// No more will be sent, though more may be read.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both directions, and whoever waits for one on another thread.
    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Closing will reset the connection, so that what it sent is never responded to.
    func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    /// The next bytes; empty at the end, whether the peer closed or reset.
    func read() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == ECONNRESET { return "" }
        guard count >= 0 else { throw TestFailure("recv: errno \(errno)") }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    func readToEnd() throws -> String {
        var text = ""
        while true {
            let more = try read()
            if more.isEmpty { return text }
            text += more
        }
    }

    func read(until isEnough: (String) -> Bool) throws -> String {
        var text = ""
        while !isEnough(text) {
            let more = try read()
            if more.isEmpty { throw TestFailure("the connection ended after \"\(text.suffix(300))\"") }
            text += more
        }
        return text
    }
}

/// Throws unless something holds. For threads of their own, on which an expectation would belong to no test.
func check(_ holds: Bool, _ what: String) throws { if !holds { throw TestFailure(what) } }

func check(_ text: String, begins start: String) throws { try check(text.hasPrefix(start), "\"\(text.prefix(300))\"") }
