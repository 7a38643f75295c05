import CLinux
import Glibc
import HTTPPool

/// An epoll instance with an eventfd through which other threads wake the waiting one.
///
/// Opened and closed by the driver. The kernel allows registering descriptors while another thread waits.
struct EventQueue: Sendable {
    /// The events to wait for on a descriptor.
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let read = Interest(rawValue: EPOLLIN.rawValue)
        static let write = Interest(rawValue: EPOLLOUT.rawValue)
        static let peerClosed = Interest(rawValue: EPOLLRDHUP.rawValue)
        static let failure = Interest(rawValue: EPOLLERR.rawValue)
        static let hangUp = Interest(rawValue: EPOLLHUP.rawValue)
    }

    /// Events on a descriptor, with the tag that it was registered with.
    struct Event {
        let tag: UInt64
        var happened: Interest
    }

    /// Wakes the waiting thread.
    struct Waker: Sendable {
        fileprivate let descriptor: Int32

        func wake() {
            var one: UInt64 = 1
            // Fails only if the counter is full, in which case the thread is being woken anyway.
            _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
        }
    }

    let waker: Waker
    private let descriptor: Int32
    private static let wakeTag = UInt64.max

    init() throws(PoolError) {
        // EPOLL_CLOEXEC, EFD_CLOEXEC and EFD_NONBLOCK have the values of the corresponding file flags.
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

    /// Closes both descriptors. The waker must not be used afterwards.
    func close() {
        Glibc.close(waker.descriptor)
        Glibc.close(descriptor)
    }

    /// The result of a wait. Reused, to keep its memory.
    struct Happened {
        /// The maximum number of events per wait.
        static let capacity = 256
        fileprivate var buffer = [epoll_event](repeating: epoll_event(), count: capacity)
        fileprivate(set) var events: [Event] = []
        /// Whether the buffer was full, so that there may be further events.
        fileprivate(set) var isFull = false
    }

    /// Waits for events until `deadline`; indefinitely if it is `nil`. Wake-ups are consumed and not returned.
    func wait(until deadline: MonotonicTime?, now: MonotonicTime, into happened: inout Happened) {
        var milliseconds: Int32 = -1
        if let deadline {
            // Rounded up, so that the thread does not wake before the deadline has passed.
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

    /// Registers a descriptor or changes its events. The kernel removes a closed descriptor, and libcurl closes
    /// some without notice, so either call may find the other state.
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
            "the system could not create an \(what): \(String(cString: strerror(errno)))",
            phase: .submit
        )
    }
}
