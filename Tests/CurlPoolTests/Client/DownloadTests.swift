import Glibc
import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import CurlPool

@Suite("Answers that stream")
struct DownloadTests {
    private static let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 16 << 10)

    /// Sends a head, then chunk after chunk while the connection takes them, and counts the bytes that went out.
    private static func endless(_ sent: Counter) throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(1 << 40)\r\n\r\n")
                while connection.write(chunk) { sent.add(chunk.count) }
            }
        }
    }

    @Test("An answer is there as soon as its head is; its body comes chunk by chunk, and then the connection is idle")
    func headFirst() async throws {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil {
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
                try gate.wait()
                connection.write("def")
            }
        }
        try await withPool { pool, journal in
            let response = try await pool.execute(get(peer))
            #expect(response.status == .ok)
            #expect(journal.levels.requests.inFlight == 1)
            #expect(journal.levels.connections.active == 1)
            var body = response.body.makeAsyncIterator()
            #expect(try await body.next() == Array("abc".utf8))
            gate.open()
            #expect(try await body.next() == Array("def".utf8))
            #expect(try await body.next() == nil)
            #expect(try await body.next() == nil)
            #expect(journal.levels.requests.inFlight == 0)
            #expect(journal.levels.connections.idle == 1)
            #expect(journal.leases == 1)
        }
    }

    @Test("A body that comes with its head is in memory, and holds nothing")
    func atOnce() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readRequest() != nil { connection.answer("small") }
        }
        try await withPool { pool, journal in
            let response = try await pool.execute(get(peer))
            #expect(journal.levels.connections.idle == 1)
            #expect(try await response.text == "small")
        }
    }

    @Test("A slow reader makes the peer wait, in bounded memory, and no read timeout ends it")
    func slowReader() async throws {
        let sent = Counter()
        let peer = try Self.endless(sent)
        try await withPool(.with { $0.timeouts.read = .milliseconds(100) }) { pool, journal in
            let response = try await pool.execute(get(peer))
            // What the kernel holds in its buffers comes on top of what lies here.
            try await sent.becomesSteady()
            let held = sent.value
            #expect(held < 16 << 20)
            // Several read timeouts go by while nobody reads.
            let start = MonotonicTime.now()
            try await eventually("time passes") { MonotonicTime.now() - start > 400_000_000 }
            #expect(journal.levels.requests.inFlight == 1)
            // Reading lets it go on.
            var taken = 0
            for try await chunk in response.body {
                taken += chunk.count
                if taken > 64 << 20 { break }
            }
            #expect(sent.value > held)
        }
    }

    @Test(
        "Whoever lets go of a body, discards it, or is cancelled while reading ends the request, once",
        arguments: Leaving.allCases
    )
    func leaving(_ how: Leaving) async throws {
        let peer = try Self.endless(Counter())
        try await withPool { pool, journal in
            try await how.leave(try await pool.execute(get(peer)).body)
            try await eventually("the request has ended") { journal.levels.requests.total == 0 }
            #expect(journal.closeReasons == [.requestCancelled])
            #expect(journal.leases == 1)
            #expect(journal.levels == OriginLevels())
        }
    }

    enum Leaving: CaseIterable {
        case lettingGo, lettingGoHalfRead, discarding, cancellation, cancellationWhileWaiting

        func leave(_ body: HTTPResponseBody) async throws {
            switch self {
            case .lettingGo: break
            case .lettingGoHalfRead:
                var iterator = body.makeAsyncIterator()
                _ = try await iterator.next()
            case .discarding:
                body.discard()
                body.discard()
                await #expect(throws: CancellationError.self) { _ = try await body.collect() }
            case .cancellation:
                let task = Task { for try await _ in body {} }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            case .cancellationWhileWaiting:
                // Everything is asked for, which never ends.
                let task = Task { try await body.collect(upTo: 1 << 30) }
                task.cancel()
                await #expect(throws: CancellationError.self) { _ = try await task.value }
            }
        }
    }

    @Test("A body beyond the limit is an error that says so, ends the request, and is never in memory as a whole")
    func tooLarge() async throws {
        let sent = Counter()
        let peer = try Self.endless(sent)
        try await withPool { pool, journal in
            let body = try await pool.execute(get(peer)).body
            #expect(await code { _ = try await body.collect(upTo: 1 << 20) } == .responseTooLarge)
            try await eventually("the request has ended") { journal.levels.requests.total == 0 }
            #expect(journal.closeReasons == [.requestCancelled])
        }
    }

    @Test(
        "A body that is just within the limit is taken, and one byte more is not",
        arguments: [99_999, 100_000, .max]
    )
    func limit(bytes: Int) async throws {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            try gate.wait()
            connection.write(String(repeating: "y", count: 100_000))
        }
        try await withPool { pool, _ in
            let body = try await pool.execute(get(peer)).body
            gate.open()
            if bytes >= 100_000 {
                #expect(try await body.collect(upTo: bytes).count == 100_000)
            } else {
                #expect(await code { _ = try await body.collect(upTo: bytes) } == .responseTooLarge)
            }
        }
    }

    @Test("What had come before a body broke is read before the error")
    func broken() async throws {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            guard try connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            try gate.wait()
            connection.reset()
        }
        try await withPool { pool, journal in
            let response = try await pool.execute(get(peer))
            gate.open()
            try await eventually("it broke") { journal.closeReasons == [.error] }
            var read: [UInt8] = []
            #expect(await code { for try await chunk in response.body { read += chunk } } == .connectionLost)
            #expect(read == Array("abc".utf8))
            #expect(journal.leases == 1)
        }
    }

    @Test("A reader that wants it all, just when the peer was stopped, starts it again")
    func wantedAfterStop() {
        let stream = ResponseStream([])
        let much = [UInt8](repeating: 0, count: ResponseStream.highWater)
        much.withUnsafeBufferPointer { stream.append($0) }
        #expect(!stream.hasRoom)
        guard case .nothing = stream.take(upTo: 1 << 30) else {
            Issue.record("the body has not ended")
            return
        }
        #expect(stream.makeRoom())
        #expect(stream.hasRoom)
        much.withUnsafeBufferPointer { stream.append($0) }
        #expect(stream.hasRoom)
    }

    // Otherwise the body keeps arriving, and is discarded, until the pool processes the cancellation. On a busy machine that
    // can be all of it: the response then counts as complete, and its connection is reused.
    @Test("A reader that is gone pauses the peer at once, before the pool ends the request")
    func abandoned() {
        let stream = ResponseStream([1, 2, 3])
        #expect(stream.hasRoom)
        stream.abandon()
        #expect(!stream.hasRoom)
        for limit in [nil, 1 << 30] {
            guard case .failed(let error) = stream.take(upTo: limit) else {
                Issue.record("what had arrived is still there")
                return
            }
            #expect(error is CancellationError)
        }
        #expect(!stream.makeRoom())
        #expect(!stream.hasRoom)
    }

    @Test("A paused reader costs no processor time, though the peer has sent more")
    func standingStill() async throws {
        let sent = Counter()
        let peer = try Self.endless(sent)
        try await withPool { pool, _ in
            let response = try await pool.execute(get(peer))
            try await sent.becomesSteady()
            let start = (clock: ContinuousClock.now, processor: Self.processorTime())
            try await eventually("half a second has passed") { ContinuousClock.now - start.clock > .seconds(0.5) }
            // A thread that is told of the same bytes again and again would take all of it.
            #expect(Self.processorTime() - start.processor < .seconds(0.25))
            var body = response.body.makeAsyncIterator()
            for _ in 0..<100 { #expect(try await body.next()?.isEmpty == false) }
            response.body.discard()
        }
    }

    private static func processorTime() -> Duration {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(.zero) {
            $0 + .seconds($1.tv_sec) + .microseconds($1.tv_usec)
        }
    }

    @Test("A reader that does not read holds only its own connection up")
    func othersGoOn() async throws {
        let peer = try ScriptedPeer { connection, number in
            while let (head, _) = try connection.readRequest() {
                if head.contains("/endless") {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(1 << 40)\r\n\r\n")
                    while connection.write(Self.chunk) {}
                } else {
                    connection.answer("quick")
                }
            }
        }
        try await withPool { pool, _ in
            let slow = try await pool.execute(get(peer, "/endless"))
            for _ in 0..<100 { try await expectAnswer("quick", to: get(peer), from: pool) }
            slow.body.discard()
        }
    }

    @Test("A shutdown gives a reader its grace, and then ends it with an error")
    func shutdown() async throws {
        let peer = try Self.endless(Counter())
        let pool = try CurlClient()
        let journal = Journal()
        try pool.attach(journal)
        let body = try await pool.execute(get(peer)).body
        await pool.shutdown(ShutdownPolicy(queued: .fail, grace: .milliseconds(50)))
        #expect(journal.levels == OriginLevels())
        #expect(await code { for try await _ in body {} } == .shutdown)
    }
}
