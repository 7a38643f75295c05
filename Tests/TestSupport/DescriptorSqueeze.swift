import Glibc

/// Leaves this process only so many descriptors, until ``end()``.
///
/// The tests that use it run alone: nobody else in the process can open anything meanwhile.
package final class DescriptorSqueeze {
    private let before: rlimit
    private var held: [Int32] = []

    /// - Parameter free: how many may still be opened.
    package init(free: Int) throws {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { throw TestFailure("getrlimit: errno \(errno)") }
        before = limit
        // Descriptors below the highest one that is open may be free as well; they are filled up.
        var highest: Int32 = 2
        for descriptor in 3..<Int32(4096) where fcntl(descriptor, F_GETFD) >= 0 { highest = descriptor }
        while let descriptor = Self.open(), descriptor <= highest { held.append(descriptor) }
        if let last = Self.open() { close(last) }
        limit.rlim_cur = rlim_t(Int(highest) + 1 + free)
        guard setrlimit(resource, &limit) == 0 else { throw TestFailure("setrlimit: errno \(errno)") }
        // The one that ended the filling up lies above `highest`.
        close(highest + 1)
    }

    /// Takes all that are left, but for so many.
    package func takeAll(but left: Int = 0) {
        var taken: [Int32] = []
        while let descriptor = Self.open() { taken.append(descriptor) }
        for _ in 0..<min(left, taken.count) { close(taken.removeLast()) }
        held += taken
    }

    package func end() {
        for descriptor in held { close(descriptor) }
        held = []
        var limit = before
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    deinit { end() }

    private static func open() -> Int32? {
        let descriptor = Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        return descriptor >= 0 ? descriptor : nil
    }
}
