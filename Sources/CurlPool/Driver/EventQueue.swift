import CLinux
import Glibc
import HTTPPool

/// Linux's epoll, with an eventfd by which other threads wake the one that waits.
///
/// Opened and closed by the driver. The kernel takes registrations from one thread while another waits.
struct EventQueue: Sendable {
    /// What a descriptor is waited for.
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let read = Interest(rawValue: EPOLLIN.rawValue)
        static let write = Interest(rawValue: EPOLLOUT.rawValue)
        static let peerClosed = Interest(rawValue: EPOLLRDHUP.rawValue)
        static let failure = Interest(rawValue: EPOLLERR.rawValue)
        static let hangUp = Interest(rawValue: EPOLLHUP.rawValue)
    }

    /// Something happened on a descriptor. The tag is the one that it was registered with.
    struct Event {
        let tag: UInt64
        var happened: Interest
    }

    /// Wakes the thread that waits.
    struct Waker: Sendable {
        fileprivate let descriptor: Int32

        func wake() {
            var one: UInt64 = 1
            // It can only fail when the counter is full, and then the thread is being woken anyway.
            _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
        }
    }

    let waker: Waker
    private let descriptor: Int32
    private static let wakeTag = UInt64.max

    init() throws(PoolError) {
        // The flags of both calls have the values of the file flags.
        let queue = epoll_create1(O_CLOEXEC)
        guard queue >= 0 else { throw Self.outOfResources("epoll descriptor") }
        let event = eventfd(0, O_CLOEXEC | O_NONBLOCK)
        guard event >= 0 else {
            Glibc.close(queue)
            throw Self.outOfResources("eventfd")
        }
        descriptor = queue
        waker = Waker(descriptor: event)
        _ = add(waker.descriptor, [.read], tag: Self.wakeTag)
    }

    /// Closes both descriptors. Nobody may wake the thread afterwards.
    func close() {
        Glibc.close(waker.descriptor)
        Glibc.close(descriptor)
    }

    /// What one wait brought. Its memory is used again.
    struct Happened {
        /// The most events of one wait.
        static let capacity = 256
        fileprivate var buffer = [epoll_event](repeating: epoll_event(), count: capacity)
        fileprivate(set) var events: [Event] = []
        /// Whether there may have been more than there was room for.
        fileprivate(set) var isFull = false
    }

    /// Waits for events until `deadline`, or without end; handles wake-ups itself and returns everything else.
    func wait(until deadline: MonotonicTime?, now: MonotonicTime, into happened: inout Happened) {
        var milliseconds: Int32 = -1
        if let deadline {
            // Rounded up: a deadline must not be met by a turn that comes too early to see it.
            milliseconds = Int32(clamping: (deadline - now + 999_999) / 1_000_000)
        }
        happened.events.removeAll(keepingCapacity: true)
        let count = epoll_wait(descriptor, &happened.buffer, Int32(happened.buffer.count), milliseconds)
        happened.isFull = count == happened.buffer.count
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = happened.buffer[index]
            if event.data.u64 == Self.wakeTag {
                var counter: UInt64 = 0
                _ = read(waker.descriptor, &counter, MemoryLayout<UInt64>.size)
            } else {
                happened.events.append(Event(tag: event.data.u64, happened: Interest(rawValue: event.events)))
            }
        }
    }

    /// Registers a descriptor, or changes what it is waited for. The kernel forgets a descriptor that is closed, and
    /// libcurl closes some behind our back, so either call may find the other's state.
    func register(_ fd: Int32, _ interest: Interest, tag: UInt64, isKnown: Bool) -> Bool {
        if isKnown {
            return change(fd, interest, tag: tag) || (errno == ENOENT && add(fd, interest, tag: tag))
        }
        return add(fd, interest, tag: tag) || (errno == EEXIST && change(fd, interest, tag: tag))
    }

    func forget(_ fd: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, fd, &event)
    }

    private func add(_ fd: Int32, _ interest: Interest, tag: UInt64) -> Bool {
        control(EPOLL_CTL_ADD, fd, interest, tag)
    }

    private func change(_ fd: Int32, _ interest: Interest, tag: UInt64) -> Bool {
        control(EPOLL_CTL_MOD, fd, interest, tag)
    }

    private func control(_ operation: Int32, _ fd: Int32, _ interest: Interest, _ tag: UInt64) -> Bool {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = tag
        return epoll_ctl(descriptor, operation, fd, &event) == 0
    }

    private static func outOfResources(_ what: String) -> PoolError {
        PoolError(
            .outOfResources,
            "the system gave the pool no \(what): \(String(cString: strerror(errno)))",
            phase: .submit
        )
    }
}
