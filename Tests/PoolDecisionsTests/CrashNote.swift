import Glibc

/// Says which sequence was running when an assertion of the state machine ends the process.
enum CrashNote {
    /// Sound: a thread writes its own two numbers, and only the handler on that thread reads them.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { $0.map { free($0) } }
        for number in [SIGILL, SIGTRAP] { signal(number) { CrashNote.crashed($0) } }
        return key
    }()

    static func note(seed: UInt64, step: Int) {
        let numbers = pthread_getspecific(key) ?? makeNumbers()
        numbers?.storeBytes(of: seed, as: UInt64.self)
        numbers?.storeBytes(of: UInt64(step), toByteOffset: 8, as: UInt64.self)
    }

    private static func makeNumbers() -> UnsafeMutableRawPointer? {
        let numbers = calloc(2, 8)
        pthread_setspecific(key, numbers)
        return numbers
    }

    private static func crashed(_ number: Int32) {
        if let numbers = pthread_getspecific(key) {
            let (seed, step) = (numbers.load(as: UInt64.self), numbers.load(fromByteOffset: 8, as: UInt64.self))
            let text = "crashed: RANDOM_SEED=\(seed), step \(step)\n"
            _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        }
        signal(number, SIG_DFL)
        raise(number)
    }
}
