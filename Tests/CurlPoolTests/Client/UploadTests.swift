import HTTPPool
import HTTPTypes
import TestSupport
import Testing

@testable import CurlPool

@Suite("Requests that stream")
struct UploadTests {
    private struct Broken: Error, Equatable {}

    /// Answers with what it was sent.
    private static func echo() throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            while let (head, body) = try connection.readRequest() {
                let body = head.lowercased().contains("transfer-encoding: chunked") ? try connection.readChunks() : body
                connection.answer(String(decoding: body, as: UTF8.self))
            }
        }
    }

    private static func words(_ count: Int) -> [[UInt8]] { (0..<count).map { Array("word \($0);".utf8) } }

    @Test("A body comes whole and in order, its length known or not", arguments: [true, false])
    func whole(isLengthKnown: Bool) async throws {
        let peer = try Self.echo()
        let words = Self.words(10_000)
        let all = words.flatMap(\.self)
        try await withPool { pool, journal in
            for _ in 0..<3 {
                let body = HTTPRequestBody.stream(Sequenced(words), length: isLengthKnown ? all.count : nil)
                let response = try await pool.execute(post(peer), body: body)
                #expect(try await response.body.collect() == all)
            }
            #expect(journal.acquireKinds == [.new, .reused, .reused])
        }
    }

    @Test("An empty stream is an empty body")
    func empty() async throws {
        let peer = try Self.echo()
        try await withPool { pool, _ in
            try await expectAnswer("", to: post(peer), body: .stream(Sequenced([]), length: 0), from: pool)
            try await expectAnswer("", to: post(peer), body: .stream(Sequenced([[], []])), from: pool)
        }
    }

    @Test("A sequence that gives more or fewer bytes than were announced fails the request", arguments: [0, 5, 7])
    func wrongLength(length: Int) async throws {
        let peer = try Self.echo()
        try await withPool { pool, journal in
            for first in [[], [[]]] as [[[UInt8]]] {
                let body = HTTPRequestBody.stream(Sequenced(first + [Array("sixsix".utf8)]), length: length)
                #expect(await code { _ = try await pool.execute(post(peer), body: body) } == .invalidRequest)
            }
            #expect(journal.levels == OriginLevels())
        }
    }

    @Test("A sequence announced as empty is read first: its errors are the request's, and it can be cancelled")
    func announcedEmpty() async throws {
        let peer = try Self.echo()
        try await withPool { pool, journal in
            let throwing = AsyncThrowingStream<[UInt8], any Error> { $0.finish(throwing: Broken()) }
            await #expect(throws: Broken()) {
                _ = try await pool.execute(post(peer), body: .stream(throwing, length: 0))
            }
            let (hanging, feed) = AsyncStream<[UInt8]>.makeStream()
            let task = Task { try await pool.execute(post(peer), body: .stream(hanging, length: 0)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            withExtendedLifetime(feed) {}
            // Nothing was sent, and nothing is left.
            #expect(journal.opened == 0)
            #expect(journal.levels == OriginLevels())
        }
    }

    @Test("An error response to an empty stream leaves its connection in use", arguments: ["GET", "POST", "HEAD"])
    func emptyRefused(method: String) async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let head = try connection.readHeadOnly() {
                let isAnnounced = head.lowercased().contains("content-length: 0\r\n")
                connection.write("HTTP/1.1 \(isAnnounced ? 400 : 404) No\r\nContent-Length: 0\r\n\r\n")
            }
        }
        var request = post(peer)
        request.method = try #require(HTTPRequest.Method(method))
        try await withPool { pool, journal in
            for _ in 0..<2 {
                let response = try await pool.execute(request, body: .stream(Sequenced([]), length: 0))
                #expect(response.status.code == (method == "POST" ? 400 : 404))
            }
            #expect(journal.acquireKinds == [.new, .reused])
        }
    }

    @Test("What the sequence throws is what the request throws, and the connection is closed")
    func throwing() async throws {
        let peer = try Self.echo()
        try await withPool { pool, journal in
            let body = HTTPRequestBody.stream(
                AsyncThrowingStream<[UInt8], any Error> { stream in
                    stream.yield([1, 2, 3])
                    stream.finish(throwing: Broken())
                }
            )
            await #expect(throws: Broken()) { _ = try await pool.execute(post(peer), body: body) }
            #expect(journal.closeReasons == [.requestCancelled])
            #expect(journal.levels == OriginLevels())
        }
    }

    @Test("A slow sequence holds only its own request up, and no timeout of the peer runs meanwhile")
    func slowProducer() async throws {
        let peer = try Self.echo()
        try await withPool(
            .with {
                $0.timeouts.write = .milliseconds(50)
                $0.timeouts.read = .milliseconds(50)
            }
        ) { pool, journal in
            let (chunks, feed) = AsyncStream<[UInt8]>.makeStream()
            async let response = pool.execute(post(peer, "/slow"), body: .stream(chunks))
            feed.yield(Array("begin ".utf8))
            try await eventually("it is in flight") { journal.levels.requests.inFlight == 1 }
            let start = MonotonicTime.now()
            while MonotonicTime.now() - start < 300_000_000 {
                try await expectAnswer("x", to: post(peer), body: "x", from: pool)
            }
            feed.yield(Array("end".utf8))
            feed.finish()
            #expect(try await response.text == "begin end")
        }
    }

    @Test("A peer that takes nothing stops the sequence, in bounded memory, and is a write timeout")
    func backPressure() async throws {
        let given = Counter()
        let peer = try ScriptedPeer { connection, _ in connection.waitForEndUnread() }
        defer { withExtendedLifetime(peer) {} }
        try await withPool(.with { $0.timeouts.write = .milliseconds(300) }) { pool, journal in
            let body = HTTPRequestBody.stream(Endless(given: given))
            #expect(await code { _ = try await pool.execute(post(peer), body: body) } == .writeTimeout)
            // The kernel's buffers take some megabytes.
            #expect(given.value < 32 << 20)
            #expect(journal.closeReasons == [.requestTimeout])
            let before = given.value
            #expect(given.value - before <= 128 << 10)
        }
    }

    @Test("A sequence is not asked before there is a connection, and let go of when the request ends")
    func notAsked() async throws {
        let asked = Counter()
        let refusing = try RefusingPort()
        try await withPool { pool, journal in
            let request = HTTPRequest(method: .post, scheme: "http", authority: refusing.authority, path: "/")
            let body = HTTPRequestBody.stream(Endless(given: asked))
            #expect(await code { _ = try await pool.execute(request, body: body) } == .connectFailed)
            #expect(journal.connectFailures == [.refused])
            #expect(asked.value == 0)
        }
        withExtendedLifetime(refusing) {}
    }

    @Test("Cancelling a request cancels the sequence that it waits for")
    func cancelled() async throws {
        let peer = try Self.echo()
        let (asked, ended) = (Counter(), Counter())
        let chunks = AsyncStream<[UInt8]> {
            asked.add(1)
            try? await Task.sleep(for: .seconds(3_600))
            if Task.isCancelled { ended.add(1) }
            return nil
        }
        try await withPool { pool, journal in
            let task = Task { try await pool.execute(post(peer), body: .stream(chunks)) }
            try await eventually("the sequence is asked") { asked.value == 1 }
            task.cancel()
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            try await eventually("the sequence is cancelled") { ended.value == 1 }
            #expect(journal.levels == OriginLevels())
        }
    }

    @Test("An answer that comes before the body's end is handed over, and the rest of the body still goes out")
    func earlyAnswer() async throws {
        let gate = Gate()
        let peer = try ScriptedPeer { connection, _ in
            _ = try connection.readHeadOnly()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nea")
            try gate.wait()
            connection.write("rl")
            connection.waitForEnd()
        }
        try await withPool { pool, _ in
            let (chunks, feed) = AsyncStream<[UInt8]>.makeStream()
            feed.yield([1])
            let response = try await pool.execute(post(peer), body: .stream(chunks, length: 2))
            #expect(response.status == .ok)
            feed.yield([2])
            feed.finish()
            gate.open()
            #expect(try await response.text == "earl")
        }
    }

    @Test("Only a body that can be made again is sent again after a dead connection", arguments: [true, false])
    func staleConnection(isReplayable: Bool) async throws {
        // The first connection dies with its second request, unanswered.
        let peer = try ScriptedPeer { connection, number in
            while let (_, body) = try connection.readRequest() {
                connection.answer(String(decoding: body, as: UTF8.self))
                if number == 0 {
                    _ = try connection.readRequest()
                    return
                }
            }
        }
        let put = HTTPRequest(method: .put, scheme: "http", authority: peer.authority, path: "/")
        let words = Self.words(3)
        let text = words.map { String(decoding: $0, as: UTF8.self) }.joined()
        try await withPool { pool, journal in
            try await expectAnswer("a", to: put, body: "a", from: pool)
            let body: HTTPRequestBody =
                isReplayable
                ? .replayableStream(length: text.utf8.count) { Sequenced(words) }
                : .stream(Sequenced(words), length: text.utf8.count)
            if isReplayable {
                try await expectAnswer(text, to: put, body: body, from: pool)
                #expect(journal.staleRetries == 1)
            } else {
                #expect(await code { _ = try await pool.execute(put, body: body) } == .connectionLost)
                #expect(journal.staleRetries == 0)
            }
        }
    }
}

/// The elements of an array, as an asynchronous sequence that yields between them.
private struct Sequenced: AsyncSequence, Sendable {
    let elements: [[UInt8]]
    init(_ elements: [[UInt8]]) { self.elements = elements }

    func makeAsyncIterator() -> Iterator { Iterator(rest: elements[...]) }

    struct Iterator: AsyncIteratorProtocol {
        var rest: ArraySlice<[UInt8]>
        mutating func next() async -> [UInt8]? { rest.popFirst() }
    }
}

/// Chunks without end, which counts what it gave.
private struct Endless: AsyncSequence, Sendable {
    let given: Counter

    func makeAsyncIterator() -> Iterator { Iterator(given: given) }

    struct Iterator: AsyncIteratorProtocol {
        let given: Counter
        mutating func next() async -> [UInt8]? {
            given.add(16 << 10)
            return [UInt8](repeating: 1, count: 16 << 10)
        }
    }
}
