import Glibc
import NIOCore
import Synchronization

/// Keeps an endpoint in a process that is out of descriptors answering, and its event loop from spinning.
///
/// It holds a descriptor in reserve. When a connection cannot be accepted for want of one, the reserve is given up for it.
/// While descriptors are scarce one connection is served at a time: it gets one response and is closed, and nothing is
/// accepted until then. Where even the reserve is gone, accepting pauses and is tried again. (A descriptor that may be
/// read and cannot be accepted stays ready: SwiftNIO's own `AcceptBackoffHandler` delays the next read, but the channel
/// still has the one pending that failed, so epoll would return it without a pause.)
final class AcceptGuard: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    /// What the initialisers of accepted channels ask, on the same event loop.
    final class Scarcity: Sendable {
        private let scarce = Atomic(false)
        private let count = Atomic<Int>(0)

        /// Whether the connection that is being accepted took one of the last descriptors.
        fileprivate(set) var isScarce: Bool {
            get { scarce.load(ordering: .relaxed) }
            set { scarce.store(newValue, ordering: .relaxed) }
        }

        /// How often a connection could not be accepted.
        var failures: Int { count.load(ordering: .relaxed) }
        fileprivate func countFailure() { count.add(1, ordering: .relaxed) }
    }

    private let scarcity: Scarcity
    private var reserve: Int32?
    private var isPaused = false

    /// How long accepting pauses where nothing can be given up for a connection.
    private static let pause = TimeAmount.milliseconds(100)
    /// So many of the last descriptors are for others: the runtime, and the pool's own needs.
    private static let mostLeft = 8

    init(_ scarcity: Scarcity) { self.scarcity = scarcity }

    func handlerAdded(context: ChannelHandlerContext) { takeReserve() }

    func handlerRemoved(context: ChannelHandlerContext) { giveUpReserve() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let isScarce = reserve == nil || Self.isNextReserved
        scarcity.isScarce = isScarce
        if isScarce {
            pause(context)
            // Its descriptor is free again, for the reserve and for the next.
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            let me = NIOLoopBound(self, eventLoop: context.eventLoop)
            unwrapInboundIn(data).closeFuture.whenComplete { _ in me.value.goOn(context.value) }
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        scarcity.countFailure()
        // The listener is still readable, so the next attempt follows at once.
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

    /// Whether the next descriptor would be one of the last, or cannot be had.
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
