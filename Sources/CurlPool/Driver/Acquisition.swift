import HTTPPool

/// How a request got the connection of its current attempt.
struct Acquisition {
    private var kind = AcquireKind.new
    /// When it was decided to open a connection for it.
    private var began = MonotonicTime(nanoseconds: 0)
    private var ready = MonotonicTime(nanoseconds: 0)
    /// The peer, for spans. A reference, because copying an optional struct calls the runtime.
    var peer: KnownPeer?

    mutating func beginOpening(at now: MonotonicTime) { began = now }

    mutating func acquired(_ kind: AcquireKind, at now: MonotonicTime) {
        self.kind = kind
        ready = now
    }

    /// - Parameters:
    ///   - submitted: when the request was submitted.
    ///   - httpVersion: the version in the status line.
    func connection(since submitted: MonotonicTime, httpVersion: String?) -> ResponseConnection {
        var connection = ResponseConnection(
            kind: kind,
            waited: Self.duration(from: submitted, to: ready),
            opening: kind == .new ? Self.duration(from: began, to: ready) : nil,
            httpVersion: httpVersion
        )
        connection.peer = peer?.address
        return connection
    }

    private static func duration(from start: MonotonicTime, to end: MonotonicTime) -> Duration {
        .nanoseconds(Int64(clamping: end - start))
    }
}

/// The address of a connection's peer.
final class KnownPeer: Sendable {
    let address: PeerAddress

    init(_ address: PeerAddress) { self.address = address }
}
