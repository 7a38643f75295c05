import HTTPPool
import Synchronization

/// The buffer between the driver and the reader of a response's body.
///
/// The driver appends data and pauses the peer when the buffer is full; the reader takes all of the buffer and lets
/// the peer continue.
final class ResponseStream: Sendable {
    /// The number of unread bytes at which the peer is paused. The chunk that reaches it is still added.
    static let highWater = 256 << 10

    private struct State {
        var buffer: [UInt8]
        /// The peer is paused.
        var isFull: Bool
        /// Set if the reader wants the whole body at once: the maximum size in bytes. `nil` if it takes whatever is
        /// available.
        var limit: Int?
        var ending: Result<Void, any Error>?
        var reader: UnsafeContinuation<Void, Never>?

        /// Whether the reader can proceed.
        var hasNews: Bool {
            if ending != nil { return true }
            if let limit { return buffer.count > limit }
            return !buffer.isEmpty
        }

        mutating func takeReader() -> UnsafeContinuation<Void, Never>? {
            guard hasNews else { return nil }
            defer { reader = nil }
            return reader
        }
    }
    private let state: Mutex<State>

    /// Begins with the part of the body that arrived with the head.
    init(_ buffer: [UInt8]) { state = Mutex(State(buffer: buffer, isFull: buffer.count >= Self.highWater)) }

    // MARK: The driver

    /// Appends bytes. Precondition: ``hasRoom``.
    func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        state.withLock { state in
            guard state.ending == nil else { return }
            state.buffer.append(contentsOf: bytes)
            let count = state.buffer.count
            if count >= Self.highWater, state.limit.map({ count > $0 }) ?? true { state.isFull = true }
        }
    }

    /// Whether the peer may send more.
    var hasRoom: Bool { state.withLock { !$0.isFull } }

    /// Wakes the reader if it waits and can proceed.
    func wake() { state.withLock { $0.takeReader() }?.resume() }

    /// Ends the stream. Later calls have no effect.
    func end(_ ending: Result<Void, any Error>) {
        state.withLock { state in
            if state.ending == nil { state.ending = ending }
            return state.takeReader()
        }?.resume()
    }

    // MARK: The reader

    /// The result of ``take(upTo:)``.
    enum Found {
        /// The whole content of the buffer. `isFreed`: the peer was paused and can continue.
        case chunk([UInt8], isFreed: Bool)
        case tooLarge
        case end
        case failed(any Error)
        case nothing
    }

    /// Whether the stream has ended.
    var hasEnded: Bool { state.withLock { $0.ending != nil } }

    /// Ends the stream because its reader wants no more. The peer is paused until the driver ends the request: what it
    /// sends meanwhile would only be thrown away, and a whole body of it would count as read.
    func abandon() {
        state.withLock { state in
            if state.ending == nil {
                state.ending = .failure(CancellationError())
                state.isFull = true
                state.buffer = []
            }
            return state.takeReader()
        }?.resume()
    }

    /// Takes the available data.
    ///
    /// - Parameter limit: if set, takes the whole rest of the body, or nothing while it is incomplete; in bytes.
    func take(upTo limit: Int? = nil) -> Found {
        state.withLock { state in
            state.limit = limit
            if let limit {
                if state.buffer.count > limit { return .tooLarge }
                guard let ending = state.ending else { return .nothing }
                if case .failure(let error) = ending { return .failed(error) }
            }
            guard state.buffer.isEmpty else {
                defer { state.isFull = false }
                let chunk = state.buffer
                state.buffer = []
                return .chunk(chunk, isFreed: state.isFull && state.ending == nil)
            }
            switch state.ending {
            case nil: return .nothing
            case .success: return .end
            case .failure(let error): return .failed(error)
            }
        }
    }

    /// Lets the peer continue although nothing was taken, because the reader wants the whole body.
    ///
    /// - Returns: whether the peer was paused.
    func makeRoom() -> Bool {
        state.withLock { state in
            guard state.ending == nil else { return false }
            defer { state.isFull = false }
            return state.isFull
        }
    }

    /// Waits until the reader can proceed. Precondition: no other reader waits.
    func news() async {
        await withUnsafeContinuation { continuation in
            let isThere = state.withLock { state in
                if state.hasNews { return true }
                state.reader = continuation
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}

/// The reader's end of a stream. Releasing it ends the request.
final class ResponseReader: ResponseBodySource {
    private let stream: ResponseStream
    private let exchange: Exchange
    private let mailbox: Mailbox
    private let soleReader = SoleReader()

    init(_ stream: ResponseStream, of exchange: Exchange, mailbox: Mailbox) {
        self.stream = stream
        self.exchange = exchange
        self.mailbox = mailbox
    }

    deinit { discard() }

    func next() async throws -> [UInt8]? {
        // Before anything else: a reader that is refused must not end the request for the first, cancelled or not.
        try soleReader.begin(exchange.request.origin)
        defer { soleReader.end() }
        while true {
            try checkCancellation()
            switch stream.take() {
            case .chunk(let chunk, let isFreed):
                if isFreed { mailbox.nudge(exchange) }
                return chunk
            case .end: return nil
            case .failed(let error): throw error
            case .tooLarge, .nothing: await news()
            }
        }
    }

    func collect(upTo limit: Int) async throws -> [UInt8] {
        try soleReader.begin(exchange.request.origin)
        defer { soleReader.end() }
        while true {
            try checkCancellation()
            switch stream.take(upTo: limit) {
            case .chunk(let chunk, _): return chunk
            case .end: return []
            case .failed(let error): throw error
            case .tooLarge:
                discard()
                var error = PoolError.responseTooLarge(limit)
                error.origin = exchange.request.origin
                throw error
            case .nothing:
                if stream.makeRoom() { mailbox.nudge(exchange) }
                await news()
            }
        }
    }

    func discard() {
        guard !stream.hasEnded else { return }
        stream.abandon()
        mailbox.cancel(exchange)
    }

    /// Ends the request because its body cannot be unpacked.
    func refuse() {
        guard !stream.hasEnded else { return }
        stream.abandon()
        mailbox.refuseResponse(of: exchange)
    }

    private func checkCancellation() throws {
        guard Task.isCancelled else { return }
        discard()
        throw CancellationError()
    }

    private func news() async {
        await withTaskCancellationHandler {
            await stream.news()
        } onCancel: {
            discard()
        }
    }
}
