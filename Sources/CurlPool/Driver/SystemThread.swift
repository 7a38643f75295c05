import CLinux
import Glibc

/// Threads of the system, for work that must not wait for those of Swift's concurrency.
enum SystemThread {
    private final class Work {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Runs `body` on a thread of its own, which ends with it.
    ///
    /// - Parameter name: at most 15 bytes.
    /// - Returns: the system's error number; 0 where it gave a thread.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(name, body))
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                // Sound: the reference was retained for this thread, once.
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                poolscope_name_this_thread(work.name)
                work.body()
                return nil
            },
            work.toOpaque()
        )
        if code == 0 { pthread_detach(thread) } else { work.release() }
        return code
    }
}
