import HTTPPool

/// An HTTP/2 upload that is blocked by the peer's flow-control window.
///
/// libcurl 7.88 waits for writability then, although the socket is always writable: the thread would never sleep,
/// and each event would count as progress.
struct WriteStall {
    let descriptor: Int32
    let due: MonotonicTime
}

extension CurlDriver {
    /// How many consecutive writable events without any upload progress are tolerated.
    private static let mostFruitlessWrites = 4
    /// How long writability is not waited for after that, in nanoseconds, unless the peer sends something.
    private static let writePause: UInt64 = 20_000_000

    /// Called after libcurl has handled a writable event, whether or not it wrote anything.
    func wroteOn(_ slot: CurlSlot, _ descriptor: Int32, uploadedBefore: Int) {
        if slot.uploadedBytes != uploadedBefore || !slot.isUploading {
            slot.fruitlessWrites = 0
            if let exchange = slot.soleExchange { progressed(exchange) }
            return
        }
        slot.fruitlessWrites += 1
        guard slot.fruitlessWrites > Self.mostFruitlessWrites, sockets[descriptor].slot == slot.id else { return }
        sockets.wait(for: sockets[descriptor].interest.subtracting(.write), on: descriptor)
        writeStalls.append(WriteStall(descriptor: descriptor, due: now + Self.writePause))
    }

    /// The peer has sent something, so its window may be open again.
    func endWriteStall(of slot: CurlSlot, _ descriptor: Int32) {
        slot.fruitlessWrites = 0
        guard sockets[descriptor].slot == slot.id, sockets[descriptor].wanted.contains(.write) else { return }
        sockets.wait(for: sockets[descriptor].interest.union(.write), on: descriptor)
    }

    func endWriteStalls() {
        while let first = writeStalls.first, first.due <= now {
            writeStalls.removeFirst()
            // The descriptor may have been closed and reused. Then its new socket is already registered with what
            // libcurl wants.
            guard sockets[first.descriptor].wanted.contains(.write) else { continue }
            sockets.wait(for: sockets[first.descriptor].interest.union(.write), on: first.descriptor)
        }
    }
}
