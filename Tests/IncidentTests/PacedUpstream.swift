import Glibc
import Synchronization
import TestSupport

/// An upstream behind nginx that responds as late as a test sets. The pace holds for the requests that it already has, too.
final class PacedUpstream: Sendable {
    private final class Pace: Sendable {
        let milliseconds = Atomic<Int>(2)
        let isEnding = Atomic<Bool>(false)
    }

    private let pace: Pace
    private let peer: ScriptedPeer

    /// Requests whose path ends with `/large` get a body of eight megabytes.
    init() throws {
        let pace = Pace()
        self.pace = pace
        let large = [UInt8](repeating: 0x78, count: 8 << 20)
        peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                var waited = 0
                while waited < pace.milliseconds.load(ordering: .relaxed), !pace.isEnding.load(ordering: .relaxed) {
                    // The upstream's own delay, in steps, so that a new pace takes effect at once.
                    usleep(2_000)
                    waited += 2
                }
                guard head.split(separator: " ").dropFirst().first?.hasSuffix("/large") == true else {
                    connection.answer("{\"items\": []}")
                    continue
                }
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(large.count)\r\n\r\n")
                connection.write(large)
            }
        }
    }

    /// nginx's words for passing on to it the requests whose paths begin so.
    func location(_ path: String) -> String {
        "location \(path) { proxy_pass http://\(peer.authority); proxy_read_timeout 300s; }"
    }

    /// Responds so late from now on.
    func respond(after milliseconds: Int) { pace.milliseconds.store(milliseconds, ordering: .relaxed) }

    func stop() async throws {
        pace.isEnding.store(true, ordering: .relaxed)
        try await peer.stop()
    }
}
