private import Glibc
internal import NIOCore
internal import NIOHTTP1

/// Serves one connection. NIO's pipelining handler passes it one request at a time.
final class UpstreamHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: LoopbackUpstream
    /// Whether the connection is needed for others after one response.
    private let closesAfterResponse: Bool
    private var request: (head: HTTPRequestHead, body: ByteBuffer)?
    private var delayed: Scheduled<Void>?

    init(server: LoopbackUpstream, closesAfterResponse: Bool = false) {
        self.server = server
        self.closesAfterResponse = closesAfterResponse
    }

    func channelActive(context: ChannelHandlerContext) {
        server.count {
            $0.connectionsAccepted += 1
            $0.connectionsOpen += 1
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        server.count { $0.connectionsOpen -= 1 }
        delayed?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // NIO's error handler has responded to malformed requests with 400; any other error is a broken connection.
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            let (path, _) = Self.target(of: head)
            server.count { $0.requests[path, default: 0] += 1 }
            request = (head, ByteBuffer())
        case .body(var bytes):
            request?.body.writeBuffer(&bytes)
            if let size = request?.body.readableBytes, size > UpstreamAnswer.mostBytes { context.close(promise: nil) }
        case .end:
            guard let request = request.take() else { return }
            answer(request.head, body: request.body, context: context)
        }
    }

    private func answer(_ head: HTTPRequestHead, body: ByteBuffer, context: ChannelHandlerContext) {
        let reply = Reply(to: head, body: body)
        guard reply.isAcceptable else { return send(reply, status: .badRequest, .json, closes: true, context: context) }
        let (path, query) = Self.target(of: head)
        switch server.answer(to: path, query: query) {
        case .whole(let status, let body, 0, let closes):
            send(reply, status: .init(statusCode: status), body, closes: closes, context: context)
        case .whole(let status, let body, let milliseconds, let closes):
            delayed = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds)) {
                self.send(reply, status: .init(statusCode: status), body, closes: closes, context: context)
            }
        case .reset: reset(context: context)
        case .hang: break
        case .drop: context.close(promise: nil)
        }
    }

    private func send(
        _ reply: Reply,
        status: HTTPResponseStatus,
        _ body: UpstreamAnswer.Body,
        closes: Bool,
        context: ChannelHandlerContext
    ) {
        let closes = closes || closesAfterResponse || !reply.keepsAlive
        var head = HTTPResponseHead(version: .http1_1, status: status, headers: reply.fields(for: body))
        let chunks = reply.chunks(of: body, status: status)
        let length = chunks.reduce(0) { $0 + $1.readableBytes }
        head.headers.add(name: "content-length", value: String(length))
        if closes { head.headers.add(name: "connection", value: "close") }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if reply.carriesBody {
            for chunk in chunks { context.write(Self.wrapOutboundOut(.body(.byteBuffer(chunk))), promise: nil) }
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: sent)
        if closes {
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
    }

    /// Sends part of a response and resets the connection: closing with a linger time of 0 sends RST.
    private func reset(context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "1000"])
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        let part = context.channel.allocator.buffer(string: "the beginning of")
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(part))), promise: sent)
        let socket = context.channel as? any SocketOptionProvider
        sent.futureResult.assumeIsolated().whenComplete { _ in
            guard let socket else { return context.close(promise: nil) }
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        }
    }

    private static func target(of head: HTTPRequestHead) -> (path: UpstreamPath, query: Substring) {
        let halves = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = halves.first.flatMap { UpstreamPath(rawValue: String($0)) } ?? .other
        return (path, halves.count == 2 ? halves[1] : "")
    }
}
