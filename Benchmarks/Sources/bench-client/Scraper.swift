internal import Foundation
private import Glibc
private import Synchronization

/// Scrapes an endpoint at a fixed rate over one kept-alive connection, from a thread of its own.
///
/// It is as small as it can be, since it shares the machine with what is measured.
final class Scraper: Sendable {
    /// What it did while something else ran.
    struct Account: Sendable {
        var scrapes = 0
        var bytes = 0
        /// Of its own thread alone.
        var cpuMicroseconds = 0.0
    }

    private let port: UInt16
    private let interval: UInt64
    private let isOver = Atomic<Bool>(false)
    private let account = Mutex<Result<Account, ScrapeFailed>?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    private init(port: Int, perSecond: Int) {
        self.port = UInt16(port)
        interval = 1_000_000_000 / UInt64(perSecond)
    }

    /// Scrapes for as long as `work` runs.
    static func beside<Value>(
        _ work: () async throws -> Value,
        port: Int,
        perSecond: Int
    ) async throws -> (Value, Account) {
        let scraper = Scraper(port: port, perSecond: perSecond)
        Thread.detachNewThread { scraper.run() }
        defer { scraper.isOver.store(true, ordering: .relaxed) }
        return (try await work(), try await scraper.stop())
    }

    private func stop() async throws -> Account {
        isOver.store(true, ordering: .relaxed)
        await withUnsafeContinuation { continuation in
            DispatchQueue.global().async { [ended] in
                ended.wait()
                continuation.resume()
            }
        }
        guard let result = account.withLock({ $0 }) else { throw ScrapeFailed() }
        return try result.get()
    }

    private func run() {
        let result = Result { () throws(ScrapeFailed) in try scrape() }
        account.withLock { $0 = result }
        ended.signal()
    }

    private func scrape() throws(ScrapeFailed) -> Account {
        let connection = try connected()
        defer { close(connection) }
        let request = Array("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        var account = Account()
        var due = Self.nanoseconds(of: CLOCK_MONOTONIC)
        while !isOver.load(ordering: .relaxed) {
            guard send(connection, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
                throw ScrapeFailed()
            }
            account.bytes += try receive(connection, into: &buffer)
            account.scrapes += 1
            due += interval
            var wake = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
            // The pace: so many a second, whatever one takes.
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nil)
        }
        account.cpuMicroseconds = Double(Self.nanoseconds(of: CLOCK_THREAD_CPUTIME_ID)) / 1000
        return account
    }

    private func connected() throws(ScrapeFailed) -> Int32 {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        address.sin_port = port.bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let connects = withUnsafePointer(to: &address) { address in
            // Sound: a `sockaddr_in` is what the call takes as a `sockaddr` of the family AF_INET.
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(connection, $0, length) == 0 }
        }
        guard connects else { throw ScrapeFailed() }
        return connection
    }

    /// Reads one answer; its head arrives in one piece.
    private func receive(_ connection: Int32, into buffer: inout [UInt8]) throws(ScrapeFailed) -> Int {
        var missing: Int?
        var received = 0
        repeat {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { throw ScrapeFailed() }
            received += count
            missing = if let missing { missing - count } else { try Self.missing(after: buffer[..<count]) }
        } while missing != 0
        return received
    }

    /// How much of an answer is still to come after its first piece.
    private static func missing(after first: ArraySlice<UInt8>) throws(ScrapeFailed) -> Int {
        guard let headEnd = first.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { throw ScrapeFailed() }
        let head = String(decoding: first[..<headEnd], as: UTF8.self).lowercased()
        guard head.hasPrefix("http/1.1 200"), let field = head.firstRange(of: "content-length: "),
            let length = Int(head[field.upperBound...].prefix(while: \.isNumber))
        else { throw ScrapeFailed() }
        return length - (first.endIndex - headEnd)
    }

    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// The endpoint did not give a whole answer.
struct ScrapeFailed: Error, CustomStringConvertible {
    var description: String { "the endpoint did not give a whole answer" }
}
