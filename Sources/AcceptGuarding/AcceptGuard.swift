private import Glibc
package import NIOCore
private import Synchronization

/// Keeps a server responsive in a process that is out of file descriptors, without a busy event loop.
///
/// It holds one descriptor in reserve, and closes it when `accept` fails for lack of a descriptor, so that the next
/// attempt succeeds. While descriptors are scarce, one connection is served at a time: it gets one response and is
/// closed, and nothing else is accepted until then. If the reserve is already used, accepting pauses before the
/// next attempt. A listener may accept up to ``mostAccepts`` connections at a time (`maxMessagesPerRead`); where that many
/// could use up the descriptors, it accepts one at a time.
///
/// It also marks each accepted socket as close-on-exec, which SwiftNIO does not, and closes those that their peers have
/// given up already.
///
/// The pause is necessary, because a listener that cannot accept stays readable. SwiftNIO's own
/// `AcceptBackoffHandler` delays the next read, but the failed one is still pending in the channel, so epoll would
/// return it in a busy loop.
package final class AcceptGuard: ChannelInboundHandler {
    package typealias InboundIn = any Channel
    package typealias InboundOut = any Channel

    /// State read by the initialisers of accepted channels, on the same event loop.
    package final class Scarcity: Sendable {
        private let scarce = Atomic(false)
        private let count = Atomic<Int>(0)

        /// Whether the connection being accepted uses one of the last descriptors.
        package fileprivate(set) var isScarce: Bool {
            get { scarce.load(ordering: .relaxed) }
            set { scarce.store(newValue, ordering: .relaxed) }
        }

        /// The number of failed attempts to accept a connection.
        package var failures: Int { count.load(ordering: .relaxed) }
        package init() {}

        fileprivate func countFailure() { count.add(1, ordering: .relaxed) }
    }

    private let scarcity: Scarcity
    private var reserve: Int32?
    private var isPaused = false
    /// The configured number of connections accepted at a time.
    private var mostAtATime: UInt?

    /// The pause between attempts when the reserve is used up.
    private static let pause = TimeAmount.milliseconds(100)
    /// The number of last descriptors left to the runtime and the pool.
    private static let mostLeft = 8
    /// The largest number of connections accepted at a time.
    package static let mostAccepts: UInt = 64

    package init(_ scarcity: Scarcity) { self.scarcity = scarcity }

    package func handlerAdded(context: ChannelHandlerContext) { takeReserve() }

    package func handlerRemoved(context: ChannelHandlerContext) { giveUpReserve() }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        // Nothing else is spent on it.
        if Self.isAbandoned(channel) { return channel.close(promise: nil) }
        Self.markCloseOnExec(channel)
        let left = Self.descriptorsLeft
        let isScarce = reserve == nil || left <= Self.mostLeft
        scarcity.isScarce = isScarce
        accept(left <= Self.mostLeft + 2 * Int(Self.mostAccepts) ? 1 : Self.mostAccepts, context)
        if isScarce {
            pause(context)
            // Its descriptor is available again, for the reserve and the next connection.
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            let me = NIOLoopBound(self, eventLoop: context.eventLoop)
            channel.closeFuture.whenComplete { _ in me.value.goOn(context.value) }
        }
        context.fireChannelRead(data)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        scarcity.countFailure()
        // The listener is still readable, so the next attempt follows immediately.
        if giveUpReserve() { return }
        pause(context)
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        let me = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) { me.value.goOn(context.value) }
    }

    private func pause(_ context: ChannelHandlerContext) {
        isPaused = true
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
    }

    private func goOn(_ context: ChannelHandlerContext) {
        if reserve == nil { takeReserve() }
        guard isPaused, context.channel.isActive else { return }
        isPaused = false
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    private func takeReserve() {
        let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
        reserve = descriptor >= 0 ? descriptor : nil
    }

    @discardableResult
    private func giveUpReserve() -> Bool {
        guard let descriptor = reserve else { return false }
        reserve = nil
        close(descriptor)
        return true
    }

    /// Sets how many connections the listener accepts at a time, if it may accept several.
    private func accept(_ count: UInt, _ context: ChannelHandlerContext) {
        guard let options = context.channel.syncOptions, let before = try? options.getOption(.maxMessagesPerRead) else {
            return
        }
        if mostAtATime == nil { mostAtATime = before }
        let count = min(count, mostAtATime ?? before)
        if count != before { try? options.setOption(.maxMessagesPerRead, value: count) }
    }

    /// How many descriptors there still are from the next one on.
    private static var descriptorsLeft: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return .max
        }
        let descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return errno == EMFILE ? 0 : .max }
        defer { close(descriptor) }
        return Int(clamping: limit.rlim_cur) - Int(descriptor)
    }

    /// Whether the peer of an accepted connection has closed it again without sending anything.
    private static func isAbandoned(_ channel: any Channel) -> Bool {
        guard channel.eventLoop.inEventLoop else { return false }
        let isAbandoned = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { socket in
            var byte: UInt8 = 0
            let count = recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
            return count == 0 || (count < 0 && errno == ECONNRESET) || isReset(socket)
        }
        return isAbandoned ?? false
    }

    /// Whether the peer has reset a connection on which it sent something before: that can still be read.
    private static func isReset(_ socket: CInt) -> Bool {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return false }
        return info.tcpi_state == UInt8(TCP_CLOSE)
    }

    private static func markCloseOnExec(_ channel: any Channel) {
        guard channel.eventLoop.inEventLoop else { return }
        _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }
}
