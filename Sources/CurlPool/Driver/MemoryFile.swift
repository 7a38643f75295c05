import CLinux
import Glibc
import HTTPPool
import Synchronization

/// A file in memory, which this process can open by its path for as long as it is not closed.
final class MemoryFile: Sendable {
    /// Another file may have this path once this one is closed.
    let path: String
    /// -1 once it is closed.
    private let descriptor: Atomic<Int32>

    /// - Parameter name: what the system shows for it. It need not be unique.
    /// - Throws: ``PoolError`` with code `outOfResources`.
    init(_ name: String, _ contents: [UInt8]) throws(PoolError) {
        let file = poolscope_memory_file(name)
        descriptor = Atomic(file)
        path = "/proc/self/fd/\(file)"
        guard file >= 0 else { throw Self.isShort }
        var written = 0
        while written < contents.count {
            let count = contents.withUnsafeBytes {
                write(file, $0.baseAddress.map { $0 + written }, contents.count - written)
            }
            // The initializer has set all properties, so `deinit` closes the file.
            guard count > 0 else { throw Self.isShort }
            written += count
        }
    }

    deinit { close() }

    private static let isShort = PoolError(
        .outOfResources,
        "the system could not create an in-memory file",
        phase: .submit
    )

    /// Closes the file. Calling it again has no effect.
    func close() {
        let open = descriptor.exchange(-1, ordering: .relaxed)
        if open >= 0 { Glibc.close(open) }
    }
}
