import CLinux
import Glibc

extension CurlDriver {
    /// Starts the driver on a thread of its own, which keeps it alive until it has ended.
    ///
    /// - Returns: whether the system gave a thread.
    func start() -> Bool {
        var thread = pthread_t()
        let me = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                poolscope_name_this_thread("poolscope-curl")
                // Sound: the reference was retained for this thread, once.
                Unmanaged<CurlDriver>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            me.toOpaque()
        )
        guard code == 0 else {
            me.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
