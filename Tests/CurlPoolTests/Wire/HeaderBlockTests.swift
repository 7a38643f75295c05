import HTTPPool
import HTTPTypes
import LoopbackUpstream
import Testing

@testable import CurlPool

@Suite("A header block")
struct HeaderBlockTests {
    /// Reads bytes as libcurl hands them over, line by line.
    static func parsed(_ bytes: [UInt8]) throws -> PooledResponse? {
        var response = GatheredResponse()
        return response.take(lines: bytes) == nil ? try response.parsed() : nil
    }

    static let ok = "HTTP/1.1 200 OK\r\n"

    /// What is read of each; `nil` where the block is malformed.
    static let corpus: [(text: String, fields: [String]?)] = [
        (ok, []), (ok + "\r\n", []), (ok + "A: b\r\n\r\n", ["A: b"]), (ok + "A:b\n\n", ["A: b"]),
        (ok + "A:\r\n", ["A: "]),
        (ok + "A: \t b \t \r\n", ["A: b"]), (ok + "A: b: c\r\n", ["A: b: c"]), (ok + "A: \r\r\n", ["A: "]),
        (ok + "A: b\rc\r\n", ["A: b c"]), (ok + "A: \0b\u{1}c\0\r\n", ["A: b c"]),
        (ok + "A: b\r\nA: c\r\n", ["A: b", "A: c"]),
        (ok + "Cookie: a; b\r\n", ["Cookie: a; b"]), (ok + "!#$%&'*+-.^_`|~: x\r\n", ["!#$%&'*+-.^_`|~: x"]),
        (ok + "A: ä😀\r\n", ["A: ä😀"]), (ok + "A: b\r\n\r\nB: c\r\n", ["A: b"]), (ok + "ETag: \"\"\r\n", ["ETag: \"\""]),
        ("HTTP/1.1 103 Early\r\nA: b\r\n\r\n" + ok + "C: d\r\n", ["C: d"]), ("HTTP/2 200 \r\nA: b\r\n", ["A: b"]),
        ("HTTP/1.1 100\r\n\r\nHTTP/1.1 100\r\n\r\n" + ok, []), ("HTTP/1.1 204 No\u{1b}[2J\r\n", []),
        ("HTTP/1.1 200 OK \u{7f}\r\n", []), ("", nil), ("\r\n", nil), ("A: b\r\n", nil), ("HTTP/1.1\r\n", nil),
        ("HTTP/1.1 \r\n", nil), ("HTTP/1.1 20\r\n", nil),
        ("HTTP/1.1 2000\r\n", nil), ("HTTP/1.1 099\r\n", nil), ("HTTP/1.1 -200\r\n", nil), ("HTTP/1.1 2 0 0\r\n", nil),
        ("HTTP/1.1 ２００\r\n", nil), ("http/1.1 200 OK\r\nA: b\r\n", ["A: b"]), ("ICY 200 OK\r\nA: b\r\n", ["A: b"]),
        (ok + "A\r\n", nil), (ok + ": b\r\n", nil), (ok + "A : b\r\n", nil), (ok + " A: b\r\n", nil),
        (ok + "A: b\r\n folded\r\n", ["A: b   folded"]), (ok + "A: b\r\n\tfolded: x\r\n", ["A: b  \tfolded: x"]),
        (ok + "A\0: b\r\n", nil),
        (ok + "Ä: b\r\n", nil), (ok + "A(b): c\r\n", nil), (ok + ":status: 200\r\n", nil), (ok + "A\u{7f}: b\r\n", nil),
        (ok + "\u{feff}A: b\r\n", nil), (ok + "HTTP/1.1: b\r\n", nil), (ok + "A: b\r\n" + "HTTP/1.1 x\r\n", nil),
    ]

    @Test("Each block of a corpus of malformed and unusual ones gives its fields, or no response")
    func nasty() {
        for (text, fields) in Self.corpus {
            let head = try? Self.parsed(Array(text.utf8))?.head
            #expect(head?.headerFields.map { "\($0.name): \($0.value)" } == fields, "\(text.debugDescription)")
        }
    }

    @Test("A malformed block is an error of the origin, and does not tell the block")
    func error() throws {
        let origin = Origin(scheme: "http", host: "a", port: 80)
        var response = GatheredResponse()
        #expect(response.take(lines: "HTTP/1.1 200 OK\r\nsEcReT\r".utf8) == nil)
        let error = try #require(throws: PoolError.self) { try response.parsed(from: origin) }
        #expect(error.code == .invalidResponse && error.origin == origin && error.phase == .exchange)
        #expect(!error.description.contains("sEcReT"))
    }

    @Test("Exactly the characters of a token may stand in a name", arguments: 0...255 as ClosedRange<UInt8>)
    func tokens(byte: UInt8) throws {
        let block = Array((Self.ok + "x").utf8) + [byte] + Array("y: z\r\n".utf8)
        let isToken = HTTPField.Name(String(decoding: [0x78, byte, 0x79], as: UTF8.self)) != nil && byte < 0x80
        // A colon ends the name, a line feed the line.
        #expect(((try? Self.parsed(block)) != nil) == (isToken || byte == UInt8(ascii: ":")))
    }

    @Test("As many fields as may be, and one more")
    func tooManyFields() throws {
        let most = Self.ok + String(repeating: "a:\n", count: 5000)
        #expect(try Self.parsed(Array(most.utf8))?.head.headerFields.count == 5000)
        #expect(throws: PoolError.self) { try Self.parsed(Array((most + "a:\n").utf8)) }
        // More than the type of the fields can hold, within the bytes that a head may have.
        let far = Self.ok + String(repeating: "a:\n", count: 80_000)
        #expect(throws: PoolError.self) { try Self.parsed(Array(far.utf8)) }
    }

    @Test("Whoever asks for the head gets the same one, at the same time too")
    func readOnce() async throws {
        let response = try #require(try Self.parsed(Array((Self.ok + "Date: today\r\nServer: x\r\n\r\n").utf8)))
        let heads = await withTaskGroup(of: HTTPResponse.self) { group in
            for _ in 0..<8 { group.addTask { response.head } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(heads.count == 8 && Set(heads).count == 1)
        #expect(response.head.headerFields[.date] == "today")
        #expect(response.status == response.head.status)
    }

    @Test(
        "Random blocks never crash, and what is read can be written and read again",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func random(seed: UInt64) throws {
        var blocks = RandomBlocks(seed: seed)
        var accepted = 0
        for round in 0..<25_000 {
            let block = blocks.next()
            guard let response = try? Self.parsed(block) else { continue }
            accepted += 1
            let head = response.head
            let again = try? Self.parsed(Self.written(head))?.head
            let isSame =
                again.map { again in
                    again.status == head.status && again.status.reasonPhrase == head.status.reasonPhrase
                        && again.headerFields.map(Self.bytes) == head.headerFields.map(Self.bytes)
                } ?? false
            let isComplete = head.headerFields.count == Self.fieldLines(of: block)
            guard isSame, isComplete, response.status == head.status else {
                Issue.record("seed \(seed), round \(round): \(String(decoding: block, as: UTF8.self).debugDescription)")
                return
            }
        }
        #expect(accepted > 2_000, "seed \(seed)")
    }

    private static func bytes(_ field: HTTPField) -> [UInt8] {
        Array("\(field.name.rawName): ".utf8) + field.withUnsafeBytesOfValue { Array($0) } + Array("\r\n".utf8)
    }

    private static func written(_ head: HTTPResponse) -> [UInt8] {
        let status = "HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n"
        return Array(status.utf8) + head.headerFields.flatMap(bytes) + Array("\r\n".utf8)
    }

    /// Lines between the answer's status line and the empty line after it. Blocks of 1xx answers come before; what comes
    /// later is no header.
    private static func fieldLines(of block: [UInt8]) -> Int {
        var count = -1
        var isInterim = false
        var isComplete = false
        for line in block.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.starts(with: "HTTP/".utf8) {
                let code = line.dropFirst(5).drop { $0 != UInt8(ascii: " ") }.dropFirst()
                (count, isComplete, isInterim) = (-1, false, code.first == UInt8(ascii: "1"))
            }
            if isComplete { continue }
            isComplete = line.isEmpty || line == [UInt8(ascii: "\r")]
            let isFolded = line.first == UInt8(ascii: " ") || line.first == UInt8(ascii: "\t")
            if !isComplete { count += isFolded ? 0 : 1 } else if !isInterim { break }
        }
        return count
    }
}

/// Header blocks: of pieces, of random bytes, and good ones with something changed.
private struct RandomBlocks {
    private var random: SplitMix64
    private let corpus = HeaderBlockTests.corpus.map { Array($0.text.utf8) }

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    private static let pieces = [
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 ", "HTTP/2 404 \r\n", "200", "\r\n", "\n", "\r", ":", ": ", " ", "\t", "\0",
        "\u{1}", "\u{7f}",
        "Content-Length: 1\r\n", "content-type", "Set-Cookie: a=b; c\r\n", "X-Y: z\r\n", "ä", "\u{2028}", "é: b",
        "\u{feff}",
    ]

    mutating func next() -> [UInt8] {
        var block: [UInt8]
        switch Int.random(in: 0..<6, using: &random) {
        case 0: block = pieces(upTo: 10)
        case 1: block = Array("HTTP/1.1 200 OK\r\n".utf8) + pieces(upTo: 10)
        case 2:
            return (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        default: block = corpus.randomElement(using: &random) ?? []
        }
        for _ in 0..<Int.random(in: 0...3, using: &random) { mutate(&block) }
        return block
    }

    private mutating func pieces(upTo most: Int) -> [UInt8] {
        let count = Int.random(in: 0...most, using: &random)
        return (0..<count).flatMap { _ in Array((Self.pieces.randomElement(using: &random) ?? "").utf8) }
    }

    private mutating func mutate(_ block: inout [UInt8]) {
        let place = Int.random(in: 0...block.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where place < block.count: block[place] = UInt8.random(in: 0...255, using: &random)
        case 1 where place < block.count: block.remove(at: place)
        case 2: block.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: block.insert(contentsOf: pieces(upTo: 2), at: place)
        default: block += corpus.randomElement(using: &random)?.suffix(place) ?? []
        }
    }
}
