import CLibcurl
import HTTPPool

/// Responses that are whole before their request is.
///
/// libcurl goes on with the request then, and waits for the caller's sequence where that gives nothing: the caller has the
/// response and no end of it, and no timeout runs. What is left of the body gets a little time, for the sake of the
/// connection, and is then given up (RFC 9112, 9.6).
struct EarlyResponse {
    let transfer: CurlTransfer
    /// The number of its exchange: the transfer may carry out another one by now.
    let number: UInt64
    var due: MonotonicTime

    /// Whether the transfer still carries out the exchange.
    var isCurrent: Bool { transfer.isRunning && transfer.exchange?.number == number }
}

extension CurlDriver {
    /// So long the rest of a body is sent after a successful response, in nanoseconds. A body whose length is known, and
    /// which ends for that reason, has so much time for each of its pieces.
    private static let earlyGrace: UInt64 = 1_000_000_000

    /// The whole response has come, and bytes of the body are still to be sent.
    func responseIsWhole(_ transfer: CurlTransfer) {
        guard !transfer.hasWholeResponse, let exchange = transfer.exchange else { return }
        transfer.noteWholeResponse()
        let due = exchange.response.head.endsUpload ? now : now + Self.earlyGrace
        early.append(EarlyResponse(transfer: transfer, number: exchange.number, due: due))
        awaits(transfer)
    }

    /// libcurl has lost interest in what the peer sends. Of HTTP/1.1 that is how it says that the response is whole.
    func stoppedReading(_ slot: CurlSlot) {
        guard let exchange = slot.soleExchange, let transfer = exchange.transfer, transfer.isRunning,
            transfer.isReceiving, exchange.response.head.isComplete, exchange.isUploading
        else { return }
        responseIsWhole(transfer)
    }

    /// libcurl gives up a body after a status from 300 on, but waits for ever where it had been paused.
    func stopRefusedUploads() {
        while let transfer = refusedUploads.popLast() { transfer.uploadIsRefused() }
    }

    func nextEarlyDue() -> MonotonicTime? { early.lazy.map(\.due).min() }

    /// Ends those whose time is over: with the whole response, and without the connection unless others are on it.
    func endEarlyResponses() {
        guard !early.isEmpty else { return }
        early.removeAll { !$0.isCurrent }
        for index in early.indices where early[index].due <= now {
            let transfer = early[index].transfer
            guard transfer.exchange?.request.body.count != nil, let sent = transfer.lastSent else { continue }
            early[index].due = max(early[index].due, sent + Self.earlyGrace)
        }
        let due = early.filter { $0.due <= now }
        guard !due.isEmpty else { return }
        early.removeAll { $0.due <= now }
        for response in due where response.isCurrent { ended(response.transfer, CURLE_OK, isOver: false) }
        work()
    }
}
