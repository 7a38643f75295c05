import Glibc

/// The file of a Unix domain socket.
struct SocketFile: Sendable, Hashable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// The file that is at a path now; `nil` without one.
    init?(at path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.path = path
        (device, inode) = (status.st_dev, status.st_ino)
    }

    /// Removes the file, unless another has taken its place.
    func remove() { if SocketFile(at: path) == self { unlink(path) } }

    /// Removes a socket that a dead process left behind.
    ///
    /// - Throws: ``ListenFailure`` for a socket that someone listens on, and for a file of another kind.
    static func makeWay(at path: String) throws(ListenFailure) {
        func failure(_ cause: ListenFailure.Cause) -> ListenFailure {
            ListenFailure(cause: cause, place: path, isUnixSocket: true)
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw failure(.notASocket) }
        let type = Int32(bitPattern: SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw failure(.system(errno)) }
        defer { close(descriptor) }
        let isConnected = withAddress(path) { connect(descriptor, $0, $1) } == 0
        switch isConnected ? 0 : errno {
        // With a full backlog it says to try again.
        case 0, EAGAIN, EINPROGRESS: throw failure(.socketTaken)
        case ECONNREFUSED: guard unlink(path) == 0 else { throw failure(.system(errno)) }
        case let error: throw failure(.system(error))
        }
    }

    /// Lends the address of a path, which is to be shorter than `sun_path`.
    static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: path.utf8.prefix(room.count - 1))
        }
        // Sound: every socket address begins with the fields of `sockaddr`.
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
