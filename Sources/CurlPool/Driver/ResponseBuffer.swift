import Synchronization

/// Memory in which a response is collected. The driver lends it, and the owner of the response returns it.
///
/// If buffers were allocated by the driver and freed by the callers, both would contend for the allocator's lock,
/// which caused more than half of all waiting and waking between them. So the caller copies a small response, and
/// the buffer is reused.
///
/// Sound as `Sendable` because it has one owner at a time: the driver until it resumes the caller, and the caller
/// until it returns the buffer. `isLent` orders both hand-overs; resuming orders the first on its own, but a
/// sanitizer cannot see that.
final class ResponseBuffer: @unchecked Sendable {
    @exclusivity(unchecked) var head: [UInt8] = []
    @exclusivity(unchecked) var body: [UInt8] = []
    /// The offset of the head's first field.
    @exclusivity(unchecked) private var fieldsStart = 0
    private let isLent = Atomic(true)

    /// Larger buffers, in bytes, are neither copied nor kept.
    private static let small = 4 << 10

    /// Begins a head, replacing an earlier one.
    func begin(head statusLine: UnsafeBufferPointer<UInt8>) {
        head.removeAll(keepingCapacity: true)
        head.reserveCapacity(512)
        fieldsStart = statusLine.count
        head.append(contentsOf: statusLine)
    }

    /// Appends a line to the head.
    func append(header line: UnsafeBufferPointer<UInt8>) { head.append(contentsOf: line) }

    /// Appends a line that continues the previous one: the line end between them is replaced by spaces (RFC 9112,
    /// 5.2).
    ///
    /// - Returns: whether the previous line is a field line.
    func append(folded line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard fieldsStart > 0, head.count > fieldsStart, head.last == UInt8(ascii: "\n") else { return false }
        head[head.count - 1] = UInt8(ascii: " ")
        let beforeLast = head.count - 2
        if beforeLast >= fieldsStart, head[beforeLast] == UInt8(ascii: "\r") { head[beforeLast] = UInt8(ascii: " ") }
        head.append(contentsOf: line)
        return true
    }

    /// Appends bytes of the body.
    ///
    /// - Parameter expected: the capacity to reserve, in bytes. Evaluated for the first piece only.
    func append(body bytes: UnsafeBufferPointer<UInt8>, expecting expected: @autoclosure () -> Int) {
        if body.isEmpty { body.reserveCapacity(expected()) }
        body.append(contentsOf: bytes)
    }

    /// The body, in memory owned by the caller.
    func takeBody() -> [UInt8] {
        if body.count <= Self.small { return body.withUnsafeBufferPointer(Array.init) }
        defer { body = [] }
        return body
    }

    /// The head, in memory owned by the caller.
    func copyHead() -> [UInt8] { head.withUnsafeBufferPointer(Array.init) }

    /// Called by the driver after its last write.
    func passOn() { isLent.store(true, ordering: .releasing) }

    /// Called by the caller before its first read.
    func accept() { _ = isLent.load(ordering: .acquiring) }

    func giveBack() { isLent.store(false, ordering: .releasing) }

    /// Takes and empties the buffer.
    ///
    /// - Returns: `false` if the buffer is in use.
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

/// The reusable buffers. Confined to the driver's thread.
struct ResponseBuffers {
    private var all: [ResponseBuffer] = []
    /// The index of the buffer that was lent the longest ago.
    private var next = 0

    /// The maximum number of reusable buffers. Further concurrent responses get buffers that are not reused.
    private static let limit = 256
    /// How many buffers are tried before another is allocated: they are not returned exactly in the order in which
    /// they were lent.
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
