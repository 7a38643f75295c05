import Glibc
import HTTPPool
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import CurlPool

@Suite("Connections between requests")
struct IdleConnectionTests {
    @Test("Bytes that nobody asked for never become an answer", arguments: ["at once", "later"])
    func strayBytes(when: String) async throws {
        let go = Gate()
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readRequest() != nil else { return }
            let stray = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
            if number == 0 {
                if when == "at once" {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood" + stray)
                } else {
                    connection.answer("good")
                    try go.wait()
                    connection.write(stray)
                }
                connection.waitForEnd()
            } else {
                repeat { connection.answer("good") } while try connection.readRequest() != nil
            }
        }
        try await withPool { pool, journal in
            try await expectAnswer("good", to: get(peer), from: pool)
            go.open()
            try await eventually("the connection that spoke is closed") { !journal.closeReasons.isEmpty }
            for _ in 0..<5 { try await expectAnswer("good", to: get(peer), from: pool) }
            #expect(peer.connections == 2)
        }
    }

    /// Bytes that come after the next request was sent cannot be told from its answer, by anybody; those that are there
    /// before can.
    @Test("Stray bytes do not reach the request that waits for the same connection")
    func strayBytesBeforeAWaiter() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let (head, _) = try connection.readRequest() {
                let path = head.split(separator: " ")[1]
                let stray = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n")
                // With the header read by itself, libcurl reads the body to its last byte and leaves the rest unread.
                usleep(500)
                connection.write(path + stray)
            }
        }
        try await withPool(.with { $0.limits.maxConnections = 1 }) { pool, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask { try await expectAnswer("/\(number)", to: get(peer, "/\(number)"), from: pool) }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("When the peer closes an idle connection it is closed here at once, and no socket stays in CLOSE_WAIT")
    func peerCloses() async throws {
        let go = Gate()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.answer("ok")
            try go.wait()
        }
        try await withPool { pool, journal in
            _ = try await pool.execute(get(peer))
            try await eventually("the kernel has it") { try KernelSockets().count(.established, to: peer.port) == 1 }
            go.open()
            try await eventually("closed") { journal.closeReasons == [.peerClosed] }
            try await eventually("the kernel agrees") { try KernelSockets().count(.closeWait, to: peer.port) == 0 }
            #expect(journal.levels.connections.total == 0)
        }
    }

    @Test("A reset while idle costs the next request nothing")
    func resetWhileIdle() async throws {
        let go = Gate()
        let peer = try ScriptedPeer { connection, number in
            while try connection.readRequest() != nil {
                connection.answer("ok")
                if number == 0 {
                    try go.wait()
                    connection.reset()
                    return
                }
            }
        }
        try await withPool { pool, journal in
            _ = try await pool.execute(get(peer))
            go.open()
            try await eventually("closed") { journal.closeReasons == [.peerClosed] }
            try await expectAnswer("ok", to: post(peer), body: "once", from: pool)
        }
    }

    @Test("A reused connection that dies unanswered: GET is sent once more, POST is not")
    func deadReusedConnection() async throws {
        let arrived = Mutex<[String]>([])
        let peer = try ScriptedPeer { connection, number in
            var served = 0
            while let (head, _) = try connection.readRequest() {
                arrived.withLock { $0.append(String(head.prefix(while: { $0 != " " }))) }
                served += 1
                // Every connection dies on its second request.
                if served == 2 { return }
                connection.answer("ok")
            }
            _ = number
        }
        try await withPool { pool, journal in
            _ = try await pool.execute(get(peer))
            try await expectAnswer("ok", to: get(peer), from: pool)
            #expect(journal.staleRetries == 1)
            #expect(arrived.withLock { $0 } == ["GET", "GET", "GET"])
            let code = await code { _ = try await pool.execute(post(peer), body: "once") }
            #expect(code == .connectionLost)
            #expect(arrived.withLock { $0 } == ["GET", "GET", "GET", "POST"])
            #expect(journal.staleRetries == 1)
        }
    }

    @Test("A new connection that dies unanswered is an error, once")
    func deadNewConnection() async throws {
        let peer = try ScriptedPeer { connection, _ in _ = try connection.readRequest() }
        try await withPool { pool, journal in
            #expect(await code { _ = try await pool.execute(get(peer)) } == .connectionLost)
            #expect(peer.connections == 1)
            #expect(journal.closeReasons == [.error])
        }
    }

    @Test("Connection: close closes it, with or without a body")
    func connectionClose() async throws {
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readRequest() != nil else { return }
            if number == 0 {
                connection.answer("bye", headers: "Connection: close\r\n")
            } else {
                connection.write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            }
            connection.waitForEnd()
        }
        try await withPool { pool, journal in
            try await expectAnswer("bye", to: get(peer), from: pool)
            try await expectAnswer(status: .noContent, to: get(peer), from: pool)
            #expect(journal.closeReasons == [.responseClose, .responseClose])
            #expect(journal.levels.connections.total == 0)
        }
    }

    @Test("A body that only the close ends is whole, and one that breaks off is an error")
    func closeDelimitedAndTruncated() async throws {
        let peer = try ScriptedPeer { connection, number in
            guard try connection.readRequest() != nil else { return }
            connection.write(
                number == 0
                    ? "HTTP/1.1 200 OK\r\n\r\nuntil the end" : "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
            )
        }
        try await withPool { pool, journal in
            try await expectAnswer("until the end", to: get(peer), from: pool)
            #expect(await code { _ = try await pool.execute(get(peer)).body.collect() } == .connectionLost)
            #expect(journal.closeReasons == [.responseClose, .error])
        }
    }

    @Test("An idle connection expires by a timer, without another request")
    func expiry() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("ok") }
        }
        try await withPool(.with { $0.limits.keepaliveExpiry = .milliseconds(50) }) { pool, journal in
            _ = try await pool.execute(get(peer))
            try await eventually("expired") { journal.closeReasons == [.idleExpired] }
            try await eventually("the kernel agrees") { try KernelSockets().count(.established, to: peer.port) == 0 }
        }
    }
}
