import HTTPPool
import Synchronization

/// The body of an answer on its way from the driver to its reader.
///
/// The driver puts in what comes and stops the peer when enough of it lies here; the reader takes all that lies here and
/// lets the peer go on.
final class ResponseStream: Sendable {
    /// With so many bytes unread the peer is paused. The chunk that reaches it comes on top.
    static let highWater = 256 << 10

    private struct State {
        var buffer: [UInt8]
        /// The driver has stopped the peer.
        var isFull: Bool
        /// The reader wants everything at once, up to so many bytes; `nil`: whatever there is.
        var limit: Int?
        var ending: Result<Void, any Error>?
        var reader: UnsafeContinuation<Void, Never>?

        /// Whether there is anything for the reader.
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

    /// Begins with what came together with the head.
    init(_ buffer: [UInt8]) { state = Mutex(State(buffer: buffer, isFull: buffer.count >= Self.highWater)) }

    // MARK: The driver

    /// Takes the next bytes, for which there is room (see ``hasRoom``).
    func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        state.withLock { state in
            guard state.ending == nil else { return }
            state.buffer.append(contentsOf: bytes)
            let count = state.buffer.count
            if count >= Self.highWater, state.limit.map({ count > $0 }) ?? true { state.isFull = true }
        }
    }

    /// Whether the peer may go on.
    var hasRoom: Bool { state.withLock { !$0.isFull } }

    /// Tells the reader, if it waits, of what has come.
    func wake() { state.withLock { $0.takeReader() }?.resume() }

    /// Nothing comes any more.
    func end(_ ending: Result<Void, any Error>) {
        state.withLock { state in
            if state.ending == nil { state.ending = ending }
            return state.takeReader()
        }?.resume()
    }

    // MARK: The reader

    /// What the reader finds.
    enum Found {
        /// All that lies here. `isFreed`: the peer had been stopped, and may go on.
        case chunk([UInt8], isFreed: Bool)
        case tooLarge
        case end
        case failed(any Error)
        case nothing
    }

    /// Whether nothing comes any more.
    var hasEnded: Bool { state.withLock { $0.ending != nil } }

    /// Takes what is there. With a `limit` it is the whole rest of the body, or nothing yet; `isFreed` then also says that
    /// the peer had been stopped while nobody wanted it all.
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

    /// Lets the peer go on though nothing was taken, because all is wanted.
    ///
    /// - Returns: whether it had been stopped.
    func makeRoom() -> Bool {
        state.withLock { state in
            defer { state.isFull = false }
            return state.isFull && state.ending == nil
        }
    }

    /// Waits until there is something to find.
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

/// The reader's end of a stream. Its last reference going away ends the request.
final class ResponseReader: ResponseBodySource {
    private let stream: ResponseStream
    private let exchange: Exchange
    private let mailbox: Mailbox

    init(_ stream: ResponseStream, of exchange: Exchange, mailbox: Mailbox) {
        self.stream = stream
        self.exchange = exchange
        self.mailbox = mailbox
    }

    deinit { discard() }

    func next() async throws -> [UInt8]? {
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
        stream.end(.failure(CancellationError()))
        mailbox.cancel(exchange)
    }

    /// Ends the request because its body cannot be read.
    func refuse() {
        guard !stream.hasEnded else { return }
        stream.end(.failure(CancellationError()))
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
