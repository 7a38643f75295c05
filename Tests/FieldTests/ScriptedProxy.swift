import Glibc
import Synchronization
import TestSupport

/// A proxy that answers CONNECT with what it is told to, and is the origin then, over TLS.
final class ScriptedProxy: Sendable {
    /// What it has been asked.
    private final class Heads: Sendable {
        let list = Mutex<[String]>([])
    }

    /// What it does behind its reply.
    enum Afterwards: Sendable {
        case close
        /// Nothing is said any more.
        case silence
        case tls(TLSPeer)
    }

    private let heads: Heads
    let peer: ScriptedPeer

    /// The heads of the requests that it has had, those in the tunnel too.
    var requests: [String] { heads.list.withLock { $0 } }

    /// - Parameter reply: what it writes when it is asked, piece by piece.
    init(_ reply: [String], then afterwards: Afterwards) throws {
        let heads = Heads()
        self.heads = heads
        peer = try ScriptedPeer { connection, _ in
            guard let head = try connection.readHeadOnly() else { return }
            heads.list.withLock { $0.append(head) }
            for piece in reply {
                guard connection.write(piece) else { return }
                if reply.count > 1 { usleep(20_000) }
            }
            switch afterwards {
            case .close: return
            case .silence: connection.waitForEnd()
            case .tls(let tls):
                let session = try tls.accept(connection)
                while let head = session.readHead() {
                    heads.list.withLock { $0.append(head) }
                    session.answer("origin")
                }
            }
        }
    }
}
