import HTTPPool
import HTTPTypes

/// An answer as it came: the header block as bytes, to be read on the caller's side.
struct RawResponse: Sendable {
    /// Where the answer lies: the status line and the fields of the last header block (those of 1xx answers are gone), and
    /// what has come of the body. Whoever has the answer gives the memory back.
    private(set) var memory: AnswerMemory? {
        didSet { unretained = memory.map(Unmanaged.passUnretained) }
    }
    /// The memory again, for the lines of a head, without counting references. Sound: `memory` holds it.
    private var unretained: Unmanaged<AnswerMemory>?
    /// Where the rest of the body comes from, of an answer that was handed over before its end.
    var stream: ResponseStream?
    /// Whether the body was unpacked on its way.
    var isUnpacked = false
    /// Whether the header block of the answer itself is complete. What comes as a header later is a trailer.
    private(set) var headIsComplete = false
    /// Whether the header block is that of a 1xx answer, after which another comes.
    private var isInterim = false
    /// Whether the header block goes on.
    private var isInBlock = true

    /// The most bytes of header fields that an answer may have.
    private static let maxHeadBytes = 256 << 10

    /// Begins an answer.
    mutating func begin(in memory: AnswerMemory) { self.memory = memory }

    /// Takes a line of the header block, its end included.
    ///
    /// - Returns: whether the block is not too large.
    mutating func take(header line: UnsafeBufferPointer<UInt8>) -> Bool {
        // A trailer after the body is not kept.
        if headIsComplete { return true }
        if memory == nil { begin(in: AnswerMemory()) }
        // The block of a 1xx answer gives way to the next.
        let isFirst = Self.isStatusLine(line)
        if isFirst {
            isInBlock = true
            isInterim = Self.isInterim(line)
        } else if !isInBlock {
            return true
        }
        let isTaken = unretained?._withUnsafeGuaranteedRef {
            $0.append(header: line, isFirst: isFirst, upTo: Self.maxHeadBytes)
        }
        guard isTaken == true else { return false }
        if line.count <= 2 {
            isInBlock = false
            headIsComplete = !isInterim
        }
        return true
    }

    /// Takes what has come of the body.
    ///
    /// - Parameter expected: how many bytes there is to be room for, asked at the first of them.
    /// - Returns: whether a response has begun.
    func take(body bytes: UnsafeBufferPointer<UInt8>, expecting expected: @autoclosure () -> Int) -> Bool {
        unretained?._withUnsafeGuaranteedRef { memory in
            if memory.body.isEmpty { memory.body.reserveCapacity(expected()) }
            memory.body.append(contentsOf: bytes)
            return true
        } ?? false
    }

    /// How many bytes of the body have come.
    var bodyCount: Int { unretained?._withUnsafeGuaranteedRef { $0.body.count } ?? 0 }

    /// `HTTP/1.1 103 …`, `HTTP/2 103`: the code follows the first space.
    private static func isInterim(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 5
        while index + 1 < line.count {
            if line[index] == UInt8(ascii: " ") { return line[index + 1] == UInt8(ascii: "1") }
            index += 1
        }
        return false
    }

    /// `HTTP/` is no beginning of a field.
    private static func isStatusLine(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        line.count > 5 && line[0] == UInt8(ascii: "H") && line[1] == UInt8(ascii: "T") && line[2] == UInt8(ascii: "T")
            && line[3] == UInt8(ascii: "P") && line[4] == UInt8(ascii: "/")
    }

    /// The answer, to be handed over; what comes later has nothing to do with its memory any more.
    mutating func handOver() -> RawResponse {
        memory?.passOn()
        defer { memory = nil }
        return self
    }

    /// Nobody wants the answer.
    mutating func drop() {
        memory?.giveBack()
        memory = nil
    }

    /// Reads the status line and checks the fields, which are read when somebody asks for them; and gives the memory back.
    ///
    /// - Parameter rest: where the body comes from, unless it has come.
    func parsed(from origin: Origin, rest: ResponseReader? = nil) throws(PoolError) -> PooledResponse {
        memory?.accept()
        defer { memory?.giveBack() }
        let body = rest.map { ResponseBody(source: $0) } ?? ResponseBody(bytes: memory?.takeBody() ?? [])
        do throws(HeaderBlock.Malformed) {
            let block = try HeaderBlock(memory?.copyHead() ?? [], isUnpacked: isUnpacked)
            return PooledResponse(status: block.status, head: block, body: body)
        } catch {
            throw PoolError(.invalidResponse, error.reason, origin: origin, phase: .exchange)
        }
    }
}
