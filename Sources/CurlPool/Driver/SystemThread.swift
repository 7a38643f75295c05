import CLinux
import Glibc

/// System threads, for work that must not depend on Swift's cooperative pool.
enum SystemThread {
    private final class Work {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Runs `body` on a new thread, which ends when it returns.
    ///
    /// - Parameter name: at most 15 bytes.
    /// - Returns: 0, or the error number if no thread could be created.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(name, body))
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                // Sound: the reference was retained exactly once, for this thread.
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
