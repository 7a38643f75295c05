import CLibcurl
import HTTPPool

extension CurlTransfer {
    /// How a transfer gets its connection.
    enum Start {
        /// Opens a new connection.
        case open
        /// Reuses the slot's idle connection.
        case reuse
        /// Shares a connection that is in use.
        case join
    }

    /// The state of one attempt to carry out an exchange. The next attempt replaces it as a whole.
    struct Attempt {
        let start: Start
        /// libcurl has a connection and is about to send, so the request may reach the peer.
        private(set) var wasSent = false
        /// libcurl tried to open another connection for the request.
        private(set) var wantedToSendAgain = false
        /// The first line of the response has arrived.
        var responseBegan = false
        /// How many bytes of the response's body have been accepted.
        var bodyBytes: UInt64 = 0
        /// The response is complete.
        var hasWholeResponse = false
        /// When bytes of the request's body were last sent after the response was complete.
        var lastSent: MonotonicTime?
        var pause = Pause()
        /// How many times in a row an HTTP/1.1 connection was readable without yielding a byte of the body.
        var fruitlessEvents = 0
        /// Why a callback aborted the transfer.
        var refusal: PoolError?

        init(_ start: Start) { self.start = start }

        /// - Returns: whether libcurl may send: only once.
        mutating func send() -> Bool {
            if wasSent { return false }
            wasSent = true
            return true
        }

        /// - Returns: whether libcurl may open a socket; see ``CurlTransfer/mayOpenSocket()``.
        mutating func openSocket() -> Bool {
            if start != .open || wasSent { wantedToSendAgain = true }
            return !wantedToSendAgain
        }

        /// Whether libcurl may rewind the body. It may before the first byte of an attempt has been sent; the body is
        /// still at its beginning then. Later, libcurl rewinds only to resend the request on its own, for which it gets
        /// no socket.
        var mayRewind: Bool { start != .open || !wasSent }
    }

    /// Which directions of a transfer are paused.
    struct Pause {
        /// libcurl's bits.
        private(set) var bits: Int32 = 0
        /// Received data is discarded.
        private(set) var swallows = false

        var isReceiving: Bool { bits & CURLPAUSE_RECV == 0 }
        var isSending: Bool { bits & CURLPAUSE_SEND == 0 }

        mutating func pauseReceiving() { bits |= CURLPAUSE_RECV }
        mutating func pauseSending() { bits |= CURLPAUSE_SEND }
        mutating func swallow() { swallows = true }

        /// Unpauses the directions that can continue.
        mutating func resume(receiving: Bool, sending: Bool) {
            if receiving { bits &= ~CURLPAUSE_RECV }
            if sending { bits &= ~CURLPAUSE_SEND }
        }
    }
}
