import HTTPPool
import HTTPTypes
import Unpacking

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
    /// Whether the header block of the answer itself is complete. What comes as a header later is a trailer.
    private(set) var headIsComplete = false
    /// Whether the header block is that of a 1xx answer, after which another comes.
    private var isInterim = false
    /// Whether the header block goes on.
    private var isInBlock = true
    /// All lines so far: interim responses, head and trailers.
    private var headerBytes = 0
    private var interims = 0
    private(set) var framing = ResponseFraming()
    /// The status code, as far as it is one.
    private var statusCode = 0

    /// Whether a body that is still on its way to the server is of no use any more.
    var endsUpload: Bool { headIsComplete && statusCode >= 300 }

    /// The most bytes of header fields that a response may have, those of its interim responses and trailers included.
    private static let maxHeaderBytes = 256 << 10
    /// The most interim responses before it.
    private static let maxInterims = 1000

    /// Why header lines are refused.
    enum HeaderFault {
        case tooLarge, tooManyInterims, switchedProtocols, doubtfulLength, foldedStatusLine, longStatus

        var reason: String {
            switch self {
            case .tooLarge: "the head and the trailers have more than \(RawResponse.maxHeaderBytes >> 10) KiB"
            case .tooManyInterims: "there are more than \(RawResponse.maxInterims) interim responses"
            case .switchedProtocols:
                "the server switched to another protocol (status 101), which this client cannot speak"
            case .doubtfulLength:
                "where it ends is in doubt: its length is not one number, or its coding is not chunked"
            case .foldedStatusLine: "white space follows the status line"
            case .longStatus: "the status code has more than three digits"
            }
        }
    }

    /// Begins an answer.
    mutating func begin(in memory: AnswerMemory) { self.memory = memory }

    /// Takes a line of the header block, its end included.
    ///
    /// - Returns: why the response is refused, where it is.
    mutating func take(header line: UnsafeBufferPointer<UInt8>) -> HeaderFault? {
        headerBytes += line.count
        guard headerBytes <= Self.maxHeaderBytes else { return .tooLarge }
        // A trailer after the body is not kept.
        if headIsComplete { return nil }
        if memory == nil { begin(in: AnswerMemory()) }
        // The block of an interim response gives way to the next.
        let isFirst = Self.isStatusLine(line)
        if isFirst {
            if let fault = beginBlock(line) { return fault }
        } else if !isInBlock {
            return nil
        } else if !framing.take(field: line), !isInterim {
            return .doubtfulLength
        }
        if let first = line.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
            let isUnfolded = unretained?._withUnsafeGuaranteedRef { $0.append(folded: line) }
            return isUnfolded == true ? nil : .foldedStatusLine
        }
        unretained?._withUnsafeGuaranteedRef { $0.append(header: line, isFirst: isFirst) }
        if line.count <= 2 {
            isInBlock = false
            headIsComplete = !isInterim
        }
        return nil
    }

    private mutating func beginBlock(_ statusLine: UnsafeBufferPointer<UInt8>) -> HeaderFault? {
        isInBlock = true
        framing = ResponseFraming(after: statusLine)
        isInterim = Self.isInterim(statusLine)
        statusCode = Self.code(in: statusLine)
        if Self.isLongCode(in: statusLine) { return .longStatus }
        guard isInterim else { return nil }
        if Self.isSwitch(statusLine) { return .switchedProtocols }
        interims += 1
        return interims <= Self.maxInterims ? nil : .tooManyInterims
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

    /// Whether a body of so many bytes is all that the fields of the head announce. `false` where they do not say.
    func isWhole(after count: UInt64) -> Bool {
        headIsComplete && (statusCode == 204 || statusCode == 304 || framing.length == count)
    }

    /// How many bytes of the body have come.
    var bodyCount: Int { unretained?._withUnsafeGuaranteedRef { $0.body.count } ?? 0 }

    /// `HTTP/1.1 103 …`, `HTTP/2 103`: the code follows the first space.
    private static func isInterim(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let code = codeIndex(in: line) else { return false }
        return line[code] == UInt8(ascii: "1")
    }

    /// Whether an interim response is the one after which the peer speaks another protocol.
    private static func isSwitch(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let code = codeIndex(in: line), code + 2 < line.count else { return false }
        return line[code + 1] == UInt8(ascii: "0") && line[code + 2] == UInt8(ascii: "1")
    }

    private static func code(in line: UnsafeBufferPointer<UInt8>) -> Int {
        guard let first = codeIndex(in: line) else { return 0 }
        return line[first...].prefix(3).reduce(0) { 10 * $0 + Int($1 & 0x0f) }
    }

    /// Some versions of libcurl read three digits of a longer code.
    private static func isLongCode(in line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard var first = codeIndex(in: line) else { return false }
        while first < line.count, line[first] == UInt8(ascii: " ") { first += 1 }
        guard first + 3 < line.count else { return false }
        return line[first + 3] >= 0x30 && line[first + 3] <= 0x39
    }

    private static func codeIndex(in line: UnsafeBufferPointer<UInt8>) -> Int? {
        var index = 5
        while index + 1 < line.count {
            if line[index] == UInt8(ascii: " ") { return index + 1 }
            index += 1
        }
        return nil
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
    /// - Parameters:
    ///   - rest: where the body comes from, unless it has come.
    ///   - unpacking: how the body is unpacked, where codings were asked for.
    func parsed(
        from origin: Origin,
        rest: ResponseReader? = nil,
        unpacking: UnpackingOrder? = nil
    ) throws(PoolError) -> PooledResponse {
        memory?.accept()
        defer { memory?.giveBack() }
        let bytes = rest == nil ? memory?.takeBody() ?? [] : []
        let block: HeaderBlock
        do throws(HeaderBlock.Malformed) {
            block = try HeaderBlock(memory?.copyHead() ?? [], unpacks: unpacking != nil)
        } catch {
            throw PoolError(.invalidResponse, error.reason, origin: origin, phase: .exchange)
        }
        let body: ResponseBody
        if let unpacking, !block.codings.isEmpty, rest != nil || !bytes.isEmpty {
            do throws(UnpackingError) {
                let reader = try UnpackingReader(block.codings, packed: bytes, rest: rest, order: unpacking)
                body = ResponseBody(source: reader)
            } catch {
                throw PoolError(error, unpacking)
            }
        } else {
            body = rest.map { ResponseBody(source: $0) } ?? ResponseBody(bytes: bytes)
        }
        return PooledResponse(status: block.status, head: block, body: body)
    }
}
