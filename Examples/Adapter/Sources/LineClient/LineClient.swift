import Foundation
import Synchronization

/// A client library that knows nothing of PoolScope: it has a pool of its own, works on several threads, and reports what it
/// does through callbacks. It stands for the library that an adapter measures.
public final class LineClient: Sendable {
    /// What the library reports while it works, from any of its threads.
    public struct Callbacks: Sendable {
        var connecting: @Sendable (_ connection: Int, _ host: String) -> Void
        var connected: @Sendable (_ connection: Int) -> Void
        var refused: @Sendable (_ connection: Int) -> Void
        var closed: @Sendable (_ connection: Int, _ isSurplus: Bool) -> Void
        var waiting: @Sendable (_ request: UInt64) -> Void
        var assigned: @Sendable (_ request: UInt64, _ connection: Int) -> Void
        var sent: @Sendable (_ request: UInt64) -> Void
        var responding: @Sendable (_ request: UInt64) -> Void
        var failed: @Sendable (_ request: UInt64) -> Void
        var finished: @Sendable (_ request: UInt64) -> Void
    }

    /// The library cannot connect.
    public struct Refused: Error {}

    private struct State {
        var idle: [String: [Int]] = [:]
        var open = 0
        var nextConnection = 0
        var waiting: [@Sendable () -> Void] = []
        var callbacks: Callbacks?
    }
    private let maxConnections: Int
    private let threads: [DispatchQueue]
    private let state = Mutex(State())

    /// A client with at most so many connections, which works on so many threads.
    public init(maxConnections: Int, threads: Int = 8) {
        self.maxConnections = maxConnections
        self.threads = (0..<threads).map { DispatchQueue(label: "line-client-\($0)") }
    }

    /// Says who is called back. To be called before the first request.
    public func begin(_ callbacks: Callbacks) { state.withLock { $0.callbacks = callbacks } }

    private var callbacks: Callbacks? { state.withLock { $0.callbacks } }

    /// Sends a line. `request` is a number that the callbacks repeat.
    public func send(_ request: UInt64, to host: String) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            threads[Int(request) % threads.count].async { self.start(request, host, continuation) }
        }
    }

    /// Closes the idle connections.
    public func close() {
        let idle = state.withLock { state in
            defer { state.idle = [:] }
            state.open -= state.idle.values.reduce(0) { $0 + $1.count }
            return state.idle.values.flatMap(\.self)
        }
        for connection in idle { callbacks?.closed(connection, false) }
    }

    private enum Step {
        case use(Int)
        case open(Int, closing: Int?)
        case wait
    }

    private func start(_ request: UInt64, _ host: String, _ continuation: CheckedContinuation<String, any Error>) {
        let step: Step = state.withLock { state in
            if let connection = state.idle[host]?.popLast() { return .use(connection) }
            var closing: Int?
            if state.open == maxConnections {
                // Another host's idle connection makes room.
                guard let other = state.idle.first(where: { !$0.value.isEmpty })?.key else {
                    let again: @Sendable () -> Void = { self.start(request, host, continuation) }
                    state.waiting.append(again)
                    // Under the lock: another thread may resume it at once.
                    state.callbacks?.waiting(request)
                    return .wait
                }
                closing = state.idle[other]?.popLast()
            } else {
                state.open += 1
            }
            state.nextConnection += 1
            return .open(state.nextConnection, closing: closing)
        }
        switch step {
        case .wait: break
        case .use(let connection): exchange(request, connection, host, continuation)
        case .open(let connection, let closing):
            if let closing { callbacks?.closed(closing, true) }
            callbacks?.connecting(connection, host)
            if request % 17 == 0 {
                callbacks?.refused(connection)
                callbacks?.failed(request)
                leave(nil, host)
                continuation.resume(throwing: Refused())
            } else {
                callbacks?.connected(connection)
                exchange(request, connection, host, continuation)
            }
        }
    }

    private func exchange(
        _ request: UInt64,
        _ connection: Int,
        _ host: String,
        _ continuation: CheckedContinuation<String, any Error>
    ) {
        callbacks?.assigned(request, connection)
        callbacks?.sent(request)
        let thread = threads[(Int(request) + connection) % threads.count]
        thread.asyncAfter(deadline: .now() + .microseconds(Int.random(in: 0...2000))) {
            self.callbacks?.responding(request)
            self.callbacks?.finished(request)
            let isKept = request % 29 != 0
            if !isKept { self.callbacks?.closed(connection, false) }
            self.leave(isKept ? connection : nil, host)
            continuation.resume(returning: "line \(request) from \(host)")
        }
    }

    /// A connection is free, or gone.
    private func leave(_ connection: Int?, _ host: String) {
        let next = state.withLock { state in
            if let connection { state.idle[host, default: []].append(connection) } else { state.open -= 1 }
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        next?()
    }
}
