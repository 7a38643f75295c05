private import Glibc
package import NIOCore
private import Synchronization

/// Keeps a server responsive in a process that is out of file descriptors, without a busy event loop.
///
/// It holds one descriptor in reserve, and closes it when `accept` fails for lack of a descriptor, so that the next
/// attempt succeeds. While descriptors are scarce, one connection is served at a time: it gets one response and is
/// closed, and nothing else is accepted until then. If the reserve is already used, accepting pauses before the
/// next attempt.
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

    /// The pause between attempts when the reserve is used up.
    private static let pause = TimeAmount.milliseconds(100)
    /// The number of last descriptors left to the runtime and the pool.
    private static let mostLeft = 8

    package init(_ scarcity: Scarcity) { self.scarcity = scarcity }

    package func handlerAdded(context: ChannelHandlerContext) { takeReserve() }

    package func handlerRemoved(context: ChannelHandlerContext) { giveUpReserve() }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let isScarce = reserve == nil || Self.isNextReserved
        scarcity.isScarce = isScarce
        if isScarce {
            pause(context)
            // Its descriptor is available again, for the reserve and the next connection.
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            let me = NIOLoopBound(self, eventLoop: context.eventLoop)
            unwrapInboundIn(data).closeFuture.whenComplete { _ in me.value.goOn(context.value) }
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

    /// Whether the next descriptor would be one of the last, or is not available.
    private static var isNextReserved: Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return false
        }
        let descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return errno == EMFILE }
        defer { close(descriptor) }
        return Int(descriptor) >= Int(clamping: limit.rlim_cur) - mostLeft
    }
}
