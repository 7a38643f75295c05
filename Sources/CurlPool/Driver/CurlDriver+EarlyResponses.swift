import CLibcurl
import HTTPPool

/// A response that completed before its request was sent in full.
///
/// libcurl keeps sending the request and waits for the caller's body sequence if that produces nothing: the caller
/// would have the response but never its end, with no timeout running. The rest of the body gets a short grace
/// period, which may save the connection, and is then given up (RFC 9112, 9.6).
struct EarlyResponse {
    let transfer: CurlTransfer
    /// The number of the exchange: the transfer may carry out another one by now.
    let number: UInt64
    var due: MonotonicTime

    /// Whether the transfer still carries out the exchange.
    var isCurrent: Bool { transfer.isRunning && transfer.exchange?.number == number }
}

extension CurlDriver {
    /// How long the rest of a body is still sent after a complete, successful response, in nanoseconds. For a body
    /// of known length, which is certain to end, the period restarts with each piece sent.
    private static let earlyGrace: UInt64 = 1_000_000_000

    /// The response is complete, and bytes of the request's body are still to be sent.
    func responseIsWhole(_ transfer: CurlTransfer) {
        guard !transfer.attempt.hasWholeResponse, let exchange = transfer.exchange else { return }
        transfer.noteWholeResponse()
        let due = exchange.response.head.endsUpload ? now : now + Self.earlyGrace
        early.append(EarlyResponse(transfer: transfer, number: exchange.number, due: due))
        awaits(transfer)
    }

    /// libcurl no longer waits for readability. With HTTP/1.1, this indicates that the response is complete.
    func stoppedReading(_ slot: CurlSlot) {
        guard let exchange = slot.soleExchange, let transfer = exchange.transfer, transfer.isRunning,
            transfer.isReceiving, exchange.isUploading,
            exchange.response.head.mayBeWhole(after: transfer.attempt.bodyBytes)
        else { return }
        responseIsWhole(transfer)
    }

    /// Looks for complete responses among those whose end libcurl may not have shown by a change of what it waits for:
    /// the response arrived within one call to libcurl, before and after which it waited for writability alone. That is
    /// so if a peer responds while libcurl sends the first bytes on a new connection, and if a paused response is
    /// resumed.
    ///
    /// Any other response ends with a change, which ``stoppedReading(_:)`` handles.
    func examineEarlyHeads() {
        // Otherwise libcurl has not been run since, and what it waits for is not up to date.
        guard curlTimer.map({ $0 > now }) ?? true else { return }
        for transfer in earlyHeads where transfer.isRunning {
            guard let slot = transfer.slot, !isReading(transfer, slot) else { continue }
            stoppedReading(slot)
        }
        earlyHeads.removeAll(keepingCapacity: true)
    }

    /// Whether libcurl waits for readability of the transfer's connection.
    private func isReading(_ transfer: CurlTransfer, _ slot: CurlSlot) -> Bool {
        let isRead = { (descriptor: Int32) in
            self.sockets[descriptor].slot == slot.id && self.sockets[descriptor].wanted.contains(.read)
        }
        return slot.connection.map(isRead) == true || transfer.sockets.opened.contains(where: isRead)
    }

    /// libcurl gives up sending the body after a status of 300 or above, but waits forever if the upload was
    /// paused.
    func stopRefusedUploads() {
        while let transfer = refusedUploads.popLast() { transfer.uploadIsRefused() }
    }

    func nextEarlyDue() -> MonotonicTime? { early.lazy.map(\.due).min() }

    /// Ends the exchanges whose grace period is over: the response is delivered, and the connection is closed
    /// unless other requests share it.
    func endEarlyResponses() {
        guard !early.isEmpty else { return }
        early.removeAll { !$0.isCurrent }
        for index in early.indices where early[index].due <= now {
            let transfer = early[index].transfer
            guard transfer.exchange?.request.body.count != nil, let sent = transfer.attempt.lastSent else { continue }
            early[index].due = max(early[index].due, sent + Self.earlyGrace)
        }
        let due = early.filter { $0.due <= now }
        guard !due.isEmpty else { return }
        early.removeAll { $0.due <= now }
        for response in due where response.isCurrent { ended(response.transfer, CURLE_OK, isOver: false) }
        work()
    }
}
