import NIOCore
import NIOHTTP1

/// Responds to the requests of one connection, in sequence, on its event loop.
///
/// The last part of a response is held back until the peer has received the rest. `HTTPServerPipelineHandler` reads
/// and delivers nothing until then, so a peer that sends requests without reading costs the memory of one response
/// only.
final class EndpointHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// Between two requests.
        case idle
        /// Receiving a request. Its body is discarded, and the response follows the end of it.
        case receiving(HTTPRequestHead)
        /// The response is written except for its last part.
        case answering(thenClose: Bool)
        /// The connection is closing; further input is ignored.
        case closing
    }

    private let routes: EndpointRoutes
    private let isLast: Bool
    private var state = State.idle
    private var peerIsDone = false

    /// - Parameter isLast: whether to close the connection after the first response.
    init(routes: EndpointRoutes, isLast: Bool = false) {
        self.routes = routes
        self.isLast = isLast
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle): state = .receiving(head)
        case (.end, .receiving(let head)): answer(head, context: context)
        default: break
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        finishAnswer(context: context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is IdleStateHandler.IdleStateEvent: close(context: context)
        case ChannelEvent.inputClosed:
            // The peer may still read: `printf '...' | nc -N` half-closes right after its request.
            peerIsDone = true
            if case .answering = state { return }
            close(context: context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// `HTTPServerProtocolErrorHandler` has already responded to malformed requests with 400; other errors are
    /// resets.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context: context) }

    private func answer(_ request: HTTPRequestHead, context: ChannelHandlerContext) {
        let answer = routes.answer(method: request.method, target: request.uri, headers: request.headers)
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: answer.contentType)
        headers.add(name: "Content-Length", value: String(answer.body.count))
        if answer.isGzip { headers.add(name: "Content-Encoding", value: "gzip") }
        if !answer.vary.isEmpty { headers.add(name: "Vary", value: answer.vary) }
        headers.add(name: "Cache-Control", value: "no-store")
        if answer.isMethodRefused { headers.add(name: "Allow", value: EndpointRoutes.allowedMethods) }
        let thenClose = peerIsDone || isLast || !request.isKeepAlive
        headers.add(name: "Connection", value: thenClose ? "close" : "keep-alive")

        state = .answering(thenClose: thenClose)
        let head = HTTPResponseHead(version: request.version, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            let body = context.channel.allocator.buffer(bytes: answer.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.flush()
        finishAnswer(context: context)
    }

    private func finishAnswer(context: ChannelHandlerContext) {
        guard case .answering(let asked) = state, context.channel.isWritable else { return }
        let thenClose = asked || peerIsDone
        // The state changes first, because writing the last part delivers the next request of a pipelining peer.
        state = thenClose ? .closing : .idle
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        guard thenClose else { return }
        // Not before: closing discards what the socket has not taken yet. A peer that does not read is closed as idle.
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        written.whenComplete { _ in bound.value.close(promise: nil) }
    }

    private func close(context: ChannelHandlerContext) {
        state = .closing
        context.close(promise: nil)
    }
}
