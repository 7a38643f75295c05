import Glibc
import NIOCore

/// The file with the ``Credentials`` of an endpoint, which is read again when it changes. It belongs to the endpoint's event
/// loop.
///
/// While the file is missing or invalid, the last valid contents count.
package struct CredentialsFile {
    /// Why the file cannot be used, without anything of its contents.
    package struct Fault: Error, CustomStringConvertible {
        let path: String
        let reason: String
        package var description: String { "\(path): \(reason)" }
    }

    /// Changes whenever the file is written or replaced.
    private struct Version: Equatable {
        let inode: UInt64
        let size: Int
        let modified: [Int]
    }

    private let path: String
    private var credentials: Credentials
    private var version: Version?
    private var nextLook: NIODeadline

    /// How often the file is looked at, at most.
    private static let interval = TimeAmount.seconds(1)
    private static let mostBytes = 64 << 10

    /// - Throws: ``Fault``.
    init(_ path: String, at now: NIODeadline) throws(Fault) {
        self.path = path
        version = Self.version(of: path)
        credentials = try Self.read(path)
        nextLook = now + Self.interval
    }

    /// The value of `Authorization` with the first credentials of a file, for a client of the endpoint.
    package static func header(from path: String) throws(Fault) -> String { try read(path).header }

    /// Whether the values of `Authorization` in a request are one that is accepted.
    func accepts(_ headers: [String]) -> Bool { headers.count == 1 && credentials.accept(headers[0]) }

    /// Reads the file again if it has changed.
    ///
    /// - Returns: why it cannot be used, once for each version of it.
    mutating func refresh(at now: NIODeadline) -> Fault? {
        guard now >= nextLook else { return nil }
        nextLook = now + Self.interval
        let new = Self.version(of: path)
        guard new != version else { return nil }
        version = new
        do throws(Fault) {
            credentials = try Self.read(path)
            return nil
        } catch {
            return error
        }
    }

    private static func version(of path: String) -> Version? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Version(
            inode: UInt64(status.st_ino),
            size: Int(status.st_size),
            modified: [Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec)]
        )
    }

    private static func read(_ path: String) throws(Fault) -> Credentials {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Fault(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: mostBytes + 1)
        var count = 0
        while count < bytes.count {
            let space = bytes.count - count
            let read = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress.map { $0 + count }, space) }
            guard read >= 0 else { throw Fault(path: path, reason: String(cString: strerror(errno))) }
            if read == 0 { break }
            count += read
        }
        guard count <= mostBytes else { throw Fault(path: path, reason: "it is larger than \(mostBytes) bytes") }
        do throws(Credentials.Fault) {
            return try Credentials(String(decoding: bytes[..<count], as: UTF8.self))
        } catch {
            throw Fault(path: path, reason: error.description)
        }
    }
}
