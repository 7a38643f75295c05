import Synchronization

/// Memory that a response is gathered in. The driver lends it, and whoever is done with the response gives it back.
///
/// Were it allocated by the driver and freed by the callers, both would contend for the allocator's lock, which was more
/// than half of all waiting and waking between them. So a small response is copied by its caller, and the buffer is used
/// again.
///
/// Sound as `Sendable` because it has one owner at a time: the driver until it resumes the caller, the caller until it
/// gives the buffer back. `isLent` orders both; resuming orders the first by itself, but not for a sanitizer to see.
final class ResponseBuffer: @unchecked Sendable {
    @exclusivity(unchecked) var head: [UInt8] = []
    @exclusivity(unchecked) var body: [UInt8] = []
    /// Where the head's first field begins.
    @exclusivity(unchecked) private var fieldsStart = 0
    private let isLent = Atomic(true)

    /// What is larger is not copied, and not kept.
    private static let small = 4 << 10

    /// Begins the head, in place of an earlier one.
    func begin(head statusLine: UnsafeBufferPointer<UInt8>) {
        head.removeAll(keepingCapacity: true)
        head.reserveCapacity(512)
        fieldsStart = statusLine.count
        head.append(contentsOf: statusLine)
    }

    /// Adds a line to the head.
    func append(header line: UnsafeBufferPointer<UInt8>) { head.append(contentsOf: line) }

    /// Adds a line that continues the one before: the line end between them becomes spaces (RFC 9112, 5.2).
    ///
    /// - Returns: whether the line before is one of a field.
    func append(folded line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard fieldsStart > 0, head.count > fieldsStart, head.last == UInt8(ascii: "\n") else { return false }
        head[head.count - 1] = UInt8(ascii: " ")
        let beforeLast = head.count - 2
        if beforeLast >= fieldsStart, head[beforeLast] == UInt8(ascii: "\r") { head[beforeLast] = UInt8(ascii: " ") }
        head.append(contentsOf: line)
        return true
    }

    /// Adds bytes of the body.
    ///
    /// - Parameter expected: how many bytes to reserve room for, evaluated at the first of them.
    func append(body bytes: UnsafeBufferPointer<UInt8>, expecting expected: @autoclosure () -> Int) {
        if body.isEmpty { body.reserveCapacity(expected()) }
        body.append(contentsOf: bytes)
    }

    /// The body, in memory that belongs to the caller.
    func takeBody() -> [UInt8] {
        if body.count <= Self.small { return body.withUnsafeBufferPointer(Array.init) }
        defer { body = [] }
        return body
    }

    /// The head, in memory that belongs to the caller.
    func copyHead() -> [UInt8] { head.withUnsafeBufferPointer(Array.init) }

    /// The driver has written all that it will write.
    func passOn() { isLent.store(true, ordering: .releasing) }

    /// The caller is about to read.
    func accept() { _ = isLent.load(ordering: .acquiring) }

    func giveBack() { isLent.store(false, ordering: .releasing) }

    /// Takes the buffer, empty, if nobody has it.
    fileprivate func lend() -> Bool {
        guard !isLent.load(ordering: .acquiring) else { return false }
        isLent.store(true, ordering: .relaxed)
        Self.clear(&head)
        fieldsStart = 0
        Self.clear(&body)
        return true
    }

    private static func clear(_ bytes: inout [UInt8]) { bytes.removeAll(keepingCapacity: bytes.capacity <= 2 * small) }
}

/// The buffers that are used again and again. They belong to the driver's thread.
struct ResponseBuffers {
    private var all: [ResponseBuffer] = []
    /// The one that was lent the longest ago.
    private var next = 0

    /// Beyond that, responses that are there at the same time get buffers of their own.
    private static let limit = 256
    /// So many are asked before there is another: responses are not given back quite in the order in which they came.
    private static let probes = 4

    mutating func lend() -> ResponseBuffer {
        for _ in 0..<min(Self.probes, all.count) {
            let buffer = all[next]
            next = next + 1 < all.count ? next + 1 : 0
            if buffer.lend() { return buffer }
        }
        let buffer = ResponseBuffer()
        if all.count < Self.limit { all.append(buffer) }
        return buffer
    }
}
