import HTTPPool

/// Uploads over HTTP/2 that the peer's window holds up.
///
/// libcurl 7.88 waits for the socket then, which can be written to all the time: the thread would never sleep, and every
/// such event look like progress.
struct WriteStall {
    let descriptor: Int32
    let due: MonotonicTime
}

extension CurlDriver {
    /// So often in a row a connection may be writable for nothing.
    private static let mostFruitlessWrites = 4
    /// So long it is not waited for after that, in nanoseconds, unless the peer says something.
    private static let writePause: UInt64 = 20_000_000

    /// libcurl could write on a connection, and has done so or not.
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

    /// The peer has said something: its window may be open again.
    func endWriteStall(of slot: CurlSlot, _ descriptor: Int32) {
        slot.fruitlessWrites = 0
        guard sockets[descriptor].slot == slot.id, sockets[descriptor].wanted.contains(.write) else { return }
        sockets.wait(for: sockets[descriptor].interest.union(.write), on: descriptor)
    }

    func endWriteStalls() {
        while let first = writeStalls.first, first.due <= now {
            writeStalls.removeFirst()
            // It may have been closed, and be another's by now: then what libcurl wants of that one is asked for anyway.
            guard sockets[first.descriptor].wanted.contains(.write) else { continue }
            sockets.wait(for: sockets[first.descriptor].interest.union(.write), on: first.descriptor)
        }
    }
}
