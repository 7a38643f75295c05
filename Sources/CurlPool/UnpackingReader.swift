import HTTPPool
import Synchronization
import Unpacking

/// How to unpack the body of a response.
struct UnpackingOrder {
    let maxRatio: Int
    let origin: Origin
    let submitted: MonotonicTime
}

/// The reader's end of a packed body.
///
/// The body is unpacked on the reader's side, and only as far as it is read. On the pool's thread, one chunk could
/// unpack to far more than may be buffered for a reader, and would delay all other requests. Here the buffered data
/// is packed, so the peer is paused at the same number of bytes as without a coding.
final class UnpackingReader: ResponseBodySource {
    private struct State {
        /// `nil` once there is no more output.
        var unpacker: Unpacker?
        var failure: (any Error)?
    }

    private let state: Mutex<State>
    /// The source of the rest of the packed body; `nil` if all of it was delivered with the head.
    private let rest: ResponseReader?
    private let order: UnpackingOrder
    /// Also keeps the pieces of `rest` in their order until they are fed to the unpacker.
    private let soleReader = SoleReader()

    /// - Parameter packed: the beginning of the body, or all of it.
    /// - Throws: ``UnpackingError`` if no unpacker can be created.
    init(
        _ codings: [ContentCoding],
        packed: [UInt8],
        rest: ResponseReader?,
        order: UnpackingOrder
    ) throws(UnpackingError) {
        let unpacker = try Unpacker(codings, maxRatio: order.maxRatio)
        unpacker.feed(packed)
        state = Mutex(State(unpacker: unpacker))
        self.rest = rest
        self.order = order
    }

    func next() async throws -> [UInt8]? {
        try soleReader.begin(order.origin)
        defer { soleReader.end() }
        return try await nextPiece()
    }

    private func nextPiece() async throws -> [UInt8]? {
        while true {
            if Task.isCancelled {
                discard()
                throw CancellationError()
            }
            switch try step() {
            case .piece(let piece): return piece
            case .end: return nil
            case .wantsMore: feed(try await rest?.next())
            }
        }
    }

    func collect(upTo limit: Int) async throws -> [UInt8] {
        try soleReader.begin(order.origin)
        defer { soleReader.end() }
        var body: [UInt8] = []
        while let piece = try await nextPiece() {
            guard body.count + piece.count <= limit else {
                discard()
                var error = PoolError.responseTooLarge(limit)
                error.origin = order.origin
                throw error
            }
            if body.isEmpty { body = piece } else { body += piece }
        }
        return body
    }

    func discard() {
        state.withLock { state in
            guard state.unpacker != nil else { return }
            state.unpacker = nil
            state.failure = CancellationError()
        }
        rest?.discard()
    }

    private func feed(_ chunk: [UInt8]?) {
        state.withLock { state in
            if let chunk { state.unpacker?.feed(chunk) } else { state.unpacker?.end() }
        }
    }

    /// The next piece. An error is repeated by every later call.
    private func step() throws -> Unpacker.Found {
        do {
            return try state.withLock { state in
                if let failure = state.failure { throw failure }
                guard let unpacker = state.unpacker else { return .end }
                do throws(UnpackingError) {
                    let found = try unpacker.next()
                    if case .end = found { state.unpacker = nil }
                    return found
                } catch {
                    state.unpacker = nil
                    let failure = PoolError(error, order)
                    state.failure = failure
                    throw failure
                }
            }
        } catch {
            // No effect if the response is complete: its connection is already in use for other requests.
            rest?.refuse()
            throw error
        }
    }
}

extension PoolError {
    init(_ error: UnpackingError, _ order: UnpackingOrder) {
        let (code, reason): (Code, String) =
            switch error {
            case .malformed: (.invalidResponse, "the response body is not valid in its Content-Encoding")
            case .truncated: (.invalidResponse, "the response body is truncated within its Content-Encoding")
            case .trailingBytes: (.invalidResponse, "the response body has data after the end of its Content-Encoding")
            case .tooLarge:
                (
                    .responseTooLarge,
                    "the response body unpacks to more than "
                        + (order.maxRatio == 1 ? "its received size" : "\(order.maxRatio) times its received size")
                )
            case .outOfMemory: (.outOfResources, "there is not enough memory to unpack the response body")
            }
        self.init(
            code,
            reason,
            origin: order.origin,
            phase: .exchange,
            elapsed: .nanoseconds(Int64(clamping: MonotonicTime.now() - order.submitted))
        )
    }
}
