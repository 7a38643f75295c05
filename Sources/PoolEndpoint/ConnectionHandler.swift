import Glibc
import NIOCore
import PoolMetrics

/// Serves the requests of one connection, in sequence, on its event loop.
///
/// It reads only while it waits for a request, so a peer that sends requests without reading costs the memory of one
/// response, besides the buffers of its socket.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// No complete request has arrived.
        case requesting
        /// A request waits for its turn.
        case waiting(RequestGate.Admitted)
        /// A response is being written.
        case responding(thenClose: Bool, mayDrain: Bool)
        /// The last response is written; what the peer still sends is thrown away.
        case draining(bytes: Int)
        case closed
    }

    private let id: ConnectionTable.ID
    private let set: ConnectionSet
    private let hosts: HostRule
    private let isScarce: Bool
    private var buffer: HeadBuffer
    private var state = State.requesting
    private var minorVersion = 1
    private var isHead = false
    private var lastResponse: NIODeadline?
    private var peerIsDone = false
    private var context: ChannelHandlerContext?

    init(id: ConnectionTable.ID, set: ConnectionSet, hosts: HostRule, isScarce: Bool) {
        self.id = id
        self.set = set
        self.hosts = hosts
        self.isScarce = isScarce
        buffer = HeadBuffer(limits: set.allowance.head)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        state = .closed
        self.context = nil
        set.remove(id)
    }

    // MARK: Input

    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        switch state {
        case .closed: break
        case .draining(let before): state = .draining(bytes: before + bytes.readableBytes)
        case .requesting, .waiting, .responding: buffer.append(bytes.readableBytesView)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        switch state {
        case .requesting: advance()
        case .draining(let bytes) where bytes > set.allowance.drain.bytes: close()
        case .draining: context.read()
        case .waiting, .responding, .closed: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        // The peer may still read: `printf '...' | nc -N` half-closes right after its request.
        peerIsDone = true
        switch state {
        case .requesting: advance()
        case .draining: close()
        case .waiting, .responding, .closed: break
        }
    }

    /// A reset, or another error of the socket.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    // MARK: Requests

    /// Takes the next request, or reads on.
    private func advance() {
        do throws(HeadFault) {
            if let bytes = try buffer.next() {
                begin(withDeadline: false)
                (minorVersion, isHead) = (1, false)
                let head = try RequestHead(bytes)
                (minorVersion, isHead) = (head.minorVersion, head.method == "HEAD")
                let request = try set.gate(hosts).admit(head)
                state = .waiting(request)
                let isRepeated = lastResponse.map { NIODeadline.now() < $0 + set.allowance.turnAfter }
                set.waitForTurn(id, isRepeated: isRepeated ?? false)
            } else if peerIsDone {
                close()
            } else {
                if !buffer.isEmpty { begin(withDeadline: true) }
                context?.read()
            }
        } catch {
            set.refused(error.refusal, error.reason)
            send(SharedRendering.Rendered(EndpointResponse(error)), thenClose: true, mayDrain: true)
        }
    }

    /// Whether a request has begun whose deadline runs. The first one begins with the connection.
    private var hasBegun = true

    private func begin(withDeadline isIncomplete: Bool) {
        let phase: ConnectionTable.Phase = isIncomplete ? .requesting : .responding
        set.move(id, to: phase, within: hasBegun ? nil : set.allowance.request)
        hasBegun = true
    }

    /// The request that waits for its turn; `nil` if none does any more.
    var waitingRequest: RequestGate.Admitted? {
        guard case .waiting(let request) = state else { return nil }
        return request
    }

    /// Responds to the request that waits.
    func respond(with rendered: SharedRendering.Rendered) {
        guard let request = waitingRequest else { return }
        send(rendered, thenClose: request.isLast || isScarce, mayDrain: request.hasBody)
    }

    private func send(_ rendered: SharedRendering.Rendered, thenClose: Bool, mayDrain: Bool) {
        guard context != nil else { return }
        state = .responding(thenClose: thenClose, mayDrain: mayDrain)
        write(rendered, closes: thenClose)?.assumeIsolated()
            .whenComplete { result in
                if case .success = result { self.finish() } else { self.close() }
            }
    }

    private func write(_ rendered: SharedRendering.Rendered, closes: Bool) -> EventLoopFuture<Void>? {
        guard let context else { return nil }
        set.responded(rendered.response)
        var head = ByteBuffer()
        rendered.response.writeHead(to: &head, minorVersion: minorVersion, date: set.dateText(), closes: closes)
        guard !isHead else { return context.writeAndFlush(wrapOutboundOut(head)) }
        context.write(wrapOutboundOut(head), promise: nil)
        return context.writeAndFlush(wrapOutboundOut(rendered.body))
    }

    /// The kernel has taken the whole response.
    private func finish() {
        guard case .responding(let thenClose, let mayDrain) = state else { return }
        if thenClose {
            guard mayDrain, !peerIsDone else { return close() }
            return drain()
        }
        lastResponse = .now()
        state = .requesting
        hasBegun = false
        if buffer.isEmpty { set.move(id, to: .kept, within: set.allowance.idle) }
        advance()
    }

    // MARK: The end

    /// Closing a socket with unread input resets the connection, and the peer may lose the response.
    private func drain() {
        buffer.removeAll()
        state = .draining(bytes: 0)
        set.move(id, to: .kept, within: set.allowance.drain.time)
        context?.close(mode: .output, promise: nil)
        context?.read()
    }

    /// Makes room for another connection.
    func giveWay() {
        if case .responding = state { reset() } else { close() }
    }

    func deadlinePassed() {
        switch state {
        case .requesting where hasBegun:
            set.refused(.deadline, HeadFault.late.reason)
            if !buffer.isEmpty { _ = write(SharedRendering.Rendered(EndpointResponse(.late)), closes: true) }
            close()
        case .responding:
            set.refused(.deadline, "the response was not read in time")
            reset()
        case .waiting:
            set.refused(.deadline, "the request waited too long for its turn")
            close()
        case .requesting, .draining, .closed: close()
        }
    }

    /// Closes the connection at once, so that the kernel does not keep what the peer has not read.
    private func reset() {
        // On the event loop it takes effect at once.
        _ = (context?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        close()
    }

    private func close() {
        state = .closed
        context?.close(promise: nil)
    }
}
