import HTTPPool
import Synchronization

/// The buffer between the caller's body sequence and libcurl.
///
/// A task on the caller's side reads the sequence. It begins when libcurl first reads, and waits while the buffer
/// is full. A replayable body restarts with each attempt.
final class UploadStream: Sendable {
    /// The number of buffered bytes from which on the sequence has to wait.
    static let highWater = 64 << 10

    private struct State {
        /// The number of attempts begun; 0 until libcurl first reads.
        var attempt = 0
        var buffer: [UInt8] = []
        var taken = 0
        /// Bytes that the sequence has produced in this attempt.
        var given = 0
        var isComplete = false
        /// libcurl found the buffer empty, and its upload is paused.
        var isStarved = false
        var isClosed = false
        var failure: (any Error)?
        var waiter: UnsafeContinuation<Void, Never>?
        /// The task that reads the sequence.
        var task: Task<Void, Never>?

        var left: Int { buffer.count - taken }
    }
    private let state = Mutex(State())
    private let source: HTTPRequestBody.Stream

    init(_ source: HTTPRequestBody.Stream) { self.source = source }

    /// The announced length in bytes; `nil` if unknown.
    var length: Int? { source.length }

    // MARK: The driver

    /// Copies the next bytes.
    ///
    /// - Returns: the number of bytes; 0 at the end, `nil` if no bytes are available yet.
    func read(into target: UnsafeMutableRawBufferPointer) -> Int? {
        let (count, waiter): (Int?, UnsafeContinuation<Void, Never>?) = state.withLock { state in
            if state.attempt == 0 { state.attempt = 1 }
            let count = min(target.count, state.left)
            state.buffer.withUnsafeBytes { bytes in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.taken..<state.taken + count]))
            }
            state.taken += count
            if state.left == 0 {
                state.buffer.removeAll(keepingCapacity: true)
                state.taken = 0
            }
            state.isStarved = count == 0 && !state.isComplete
            let mayGoOn = state.left < Self.highWater / 2
            defer { if mayGoOn { state.waiter = nil } }
            return (state.isStarved ? nil : count, mayGoOn ? state.waiter : nil)
        }
        waiter?.resume()
        return count
    }

    /// Whether a paused upload can continue.
    var hasNews: Bool { state.withLock { $0.isStarved && ($0.left > 0 || $0.isComplete) } }

    /// Whether bytes are still to be sent.
    var isUnderWay: Bool { state.withLock { !($0.isComplete && $0.left == 0) } }

    /// The error that the sequence threw, or that its length was wrong.
    var failure: (any Error)? { state.withLock { $0.failure } }

    /// Restarts the body from its beginning, for another attempt.
    func rewind() {
        state.withLock { state in
            guard state.attempt > 0 else { return nil as UnsafeContinuation<Void, Never>? }
            let waiter = state.waiter
            state = State(attempt: state.attempt + 1, isClosed: state.isClosed, task: state.task)
            return waiter
        }?.resume()
    }

    /// Ends the stream: the body is no longer needed.
    func close() {
        let (waiter, task) = state.withLock { state in
            state.isClosed = true
            defer { (state.waiter, state.task) = (nil, nil) }
            return (state.waiter, state.task)
        }
        waiter?.resume()
        task?.cancel()
    }

    // MARK: The caller's side

    /// Starts the task that reads the sequence, once per attempt, until the stream is closed.
    func start(for exchange: Exchange, _ mailbox: Mailbox) {
        let task = Task { await run { mailbox.nudge(exchange) } }
        let isClosed = state.withLock { state in
            state.task = task
            return state.isClosed
        }
        if isClosed { task.cancel() }
    }

    /// - Parameter nudge: makes the driver examine the stream again.
    private func run(_ nudge: @escaping @Sendable () -> Void) async {
        var attempt = 0
        while let next = await nextAttempt(after: attempt) {
            attempt = next
            do {
                try await source.write { [attempt] chunk in try await self.write(chunk, attempt, nudge) }
                complete(attempt)
            } catch {
                state.withLock { state in
                    if state.attempt == attempt, !state.isClosed { state.failure = error }
                }
            }
            nudge()
        }
    }

    private func nextAttempt(after last: Int) async -> Int? {
        while true {
            let (isClosed, attempt) = state.withLock { ($0.isClosed, $0.attempt) }
            if isClosed { return nil }
            if attempt > last { return attempt }
            await wait { $0.isClosed || $0.attempt > last }
        }
    }

    private func write(_ chunk: [UInt8], _ attempt: Int, _ nudge: @Sendable () -> Void) async throws {
        if chunk.isEmpty { return }
        let isStarved = try state.withLock { state in
            guard state.attempt == attempt, !state.isClosed else { throw CancellationError() }
            state.given += chunk.count
            if let length = source.length, state.given > length { throw PoolError.wrongLength(length) }
            if state.buffer.isEmpty { state.buffer = chunk } else { state.buffer += chunk }
            return state.isStarved
        }
        if isStarved { nudge() }
        await wait { $0.left < Self.highWater || $0.isClosed || $0.attempt != attempt }
    }

    private func complete(_ attempt: Int) {
        state.withLock { state in
            guard state.attempt == attempt else { return }
            if let length = source.length, state.given < length {
                state.failure = PoolError.wrongLength(length)
            } else {
                state.isComplete = true
            }
        }
    }

    private func wait(until holds: @Sendable (State) -> Bool) async {
        await withUnsafeContinuation { continuation in
            let isNow = state.withLock { state in
                if holds(state) { return true }
                state.waiter = continuation
                return false
            }
            if isNow { continuation.resume() }
        }
    }
}
