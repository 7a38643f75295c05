import Foundation
import Synchronization
import TestSupport

/// A server behind nginx that holds every request until it is let go.
final class HoldingUpstream: Sendable {
    private let path: String
    private let peer: ScriptedPeer
    private let paths: Paths
    private let gate = Gate()

    private final class Paths: Sendable {
        let list = Mutex<[String]>([])
    }

    /// - Parameter path: how the paths begin that nginx is to pass on to it.
    init(path: String = "/held") throws {
        self.path = path
        let paths = Paths()
        self.paths = paths
        peer = try ScriptedPeer { [gate] connection, _ in
            guard let (head, _) = try connection.readRequest() else { return }
            let path = head.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            paths.list.withLock { $0.append(path) }
            try gate.wait()
            connection.answer("held")
        }
    }

    /// nginx's words for passing requests on to it.
    var location: String {
        "location \(path) { proxy_pass http://\(peer.authority); proxy_read_timeout 300s; }"
    }

    /// The paths that have arrived.
    var arrived: [String] { paths.list.withLock { $0 } }

    /// Lets so many requests go, those that have arrived or those to come.
    func letGo(_ count: Int) { gate.letThrough(count) }
}
