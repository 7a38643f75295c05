import CLibcurl
import Glibc
import HTTPPool
import PoolDecisions

/// A libcurl transfer: an easy handle and the exchange that it currently carries out.
///
/// Confined to the driver's thread, which is why accesses are not checked for overlap (see ``CurlDriver``).
final class CurlTransfer {
    let easy: UnsafeMutableRawPointer
    /// The URL handle. Holds scheme and authority only, unless a proxy may need the whole URL.
    let url: OpaquePointer
    /// Sound: the driver retains all its transfers and releases them before it ends.
    unowned(unsafe) let driver: CurlDriver
    /// Sound: the driver retains every slot until it ends.
    @exclusivity(unchecked) unowned(unsafe) var slot: CurlSlot?
    @exclusivity(unchecked) var exchange: Exchange? {
        didSet { unretained = exchange.map(Unmanaged.passUnretained) }
    }
    /// The exchange without reference counting, for callbacks that run several times per request. Sound: `exchange`
    /// retains it, and changes only outside of calls to libcurl.
    @exclusivity(unchecked) private var unretained: Unmanaged<Exchange>?
    /// Whether the transfer has been added to libcurl.
    @exclusivity(unchecked) private(set) var isRunning = false

    /// The handle's current options, so that the next request sets only those that differ.
    @exclusivity(unchecked) var mayLookUp = true
    @exclusivity(unchecked) var route: ProxyRules.Route?
    /// The entry for the peer's address (CURLOPT_RESOLVE), kept for as long as libcurl may read it.
    @exclusivity(unchecked) var entry: UnsafeMutablePointer<curl_slist>?
    @exclusivity(unchecked) var wasPlain = false
    @exclusivity(unchecked) var address: RequestAddress?
    @exclusivity(unchecked) var headers: UnsafeMutablePointer<curl_slist>?
    @exclusivity(unchecked) var unixSocketPath: String?

    @exclusivity(unchecked) private(set) var attempt = Attempt(.open)
    @exclusivity(unchecked) var sockets = OpeningSockets()
    /// libcurl's error message (CURLOPT_ERRORBUFFER), more detailed than its result code.
    let complaint = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    var start: Start { attempt.start }
    var wasSent: Bool { attempt.wasSent }
    /// Whether receiving is not paused.
    var isReceiving: Bool { attempt.pause.isReceiving }

    /// - Throws: ``PoolError`` with code `outOfResources` when libcurl has no memory for a handle.
    init(driver: CurlDriver) throws(PoolError) {
        let easy = curl_easy_init()
        let url = curl_url()
        guard let easy, let url else {
            curl_easy_cleanup(easy)
            curl_url_cleanup(url)
            throw PoolError(.outOfResources, "libcurl has no memory for another connection", phase: .connect)
        }
        self.easy = easy
        self.url = url
        self.driver = driver
        complaint.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setUp()
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_url_cleanup(url)
        curl_slist_free_all(entry)
        complaint.deallocate()
    }

    /// Makes the transfer look up and keep its connections in this share.
    ///
    /// - Returns: whether libcurl accepted it.
    func attach(to share: UnsafeMutableRawPointer) -> Bool {
        poolscope_easy_set_pointer(easy, CURLOPT_SHARE, share) == CURLE_OK
    }

    func detach() {
        poolscope_easy_set_pointer(easy, CURLOPT_SHARE, nil)
        slot = nil
    }

    /// Hands the exchange to libcurl.
    ///
    /// - Returns: whether libcurl accepted it.
    func run(_ exchange: Exchange, _ start: Start, in multi: UnsafeMutableRawPointer) -> Bool {
        assert(!isRunning, "a transfer carries out one exchange at a time")
        self.exchange = exchange
        attempt = Attempt(start)
        sockets.begin()
        complaint.pointee = 0
        exchange.beginAttempt(on: self)
        exchange.phase = start == .open ? .connect : .acquire
        describe(start)
        guard describe(exchange.request) else { return false }
        isRunning = curl_multi_add_handle(multi, easy) == CURLM_OK
        return isRunning
    }

    /// Sets the peer for the next connection; `nil` if no name had to be resolved.
    func prepareToOpen(to peer: ReachedPeer?) {
        sockets.prepare(for: peer)
        describe(peer)
    }

    /// Removes the transfer from libcurl. If it was incomplete, its connection is closed, unless other transfers
    /// share it.
    func stop(in multi: UnsafeMutableRawPointer) {
        guard isRunning else { return }
        if !isReceiving, slot?.isMultiplexed == true {
            // libcurl 7.88 never frees what a paused stream has received unless it is read.
            attempt.pause.swallow()
            curl_easy_pause(easy, 0)
        }
        isRunning = false
        let code = curl_multi_remove_handle(multi, easy)
        assert(code == CURLM_OK, "a transfer is removed only outside of libcurl's callbacks")
    }

    /// What the end of the transfer means for the pool. The transfer must already have been removed from libcurl.
    ///
    /// - Parameter error: the caller's error; `nil` for a complete response.
    func ending(_ result: CURLcode, error: PoolError?) -> TransferEnding {
        let isOpen = slot?.connection != nil
        if result == CURLE_OK {
            let framing = exchange?.response.head.framing
            let isLast =
                exchange?.request.isLast == true || framing?.keepAliveSeconds == 0 || framing?.hasDoubtfulChunks == true
            return .complete(status: status, keepAlive: isOpen && !isLast)
        }
        if isRefusedExpectation(result) { return .complete(status: status, keepAlive: false) }
        // A new HTTP/2 connection may end before it has accepted a single request.
        let isNew = start == .open && result != CURLE_SEND_FAIL_REWIND
        let isDead = isNew ? result == CURLE_HTTP2 : Self.meansConnectionDied(result)
        if attempt.wantedToSendAgain || hasGivenUp || isDead && !attempt.responseBegan {
            return .stale(sent: wasSent, .peerClosed)
        }
        let isInvalid = error?.code == .invalidResponse || error?.code == .responseTooLarge
        return .broken(
            connectFailure(result),
            outcome: isInvalid ? .invalidResponse : .connectionLost,
            keepAlive: isOpen && slot?.isMultiplexed == true
        )
    }

    /// The status of the response; 0 without one.
    private var status: Int { exchange?.response.head.status ?? 0 }

    /// Whether the response is a 417 after which libcurl wanted to send the request again without the expectation.
    /// The response goes to the caller, and the connection is closed, because the server may still wait for the
    /// body on it.
    func isRefusedExpectation(_ result: CURLcode) -> Bool {
        guard wasSent, exchange?.response.head.isComplete == true else { return false }
        return result == CURLE_ABORTED_BY_CALLBACK || attempt.wantedToSendAgain
    }

    /// Whether libcurl wanted another connection for the request and has done so five times on this handle. libcurl
    /// counts over all transfers of the handle, and reports this failure by its message only.
    var hasGivenUp: Bool { strncmp(complaint, Self.givingUp, Self.givingUp.utf8.count) == 0 }
    private static let givingUp = "Connection died, tried"

    /// The connection that libcurl kept after the transfer.
    var openConnection: Int32? {
        var descriptor = CURL_SOCKET_BAD
        let code = poolscope_easy_get_socket(easy, &descriptor)
        return code == CURLE_OK && descriptor != CURL_SOCKET_BAD ? descriptor : nil
    }

    /// Whether the body was ended by the close of its TLS connection, without a closing alert that would show that
    /// the peer meant to end it there.
    var isWithoutClosingAlert: Bool {
        guard let slot, slot.secureContext != nil, !slot.saidClose, let exchange else { return false }
        return exchange.response.head.framing.endsWithConnection && !exchange.request.isHead
    }

    /// How many times in a row a TLS connection may be readable without yielding a line of the head or a byte of the
    /// body. A record can be decrypted only as a whole, and may arrive in this many segments.
    private static let mostSegments = 64

    /// Called when the HTTP/1.1 connection is readable.
    ///
    /// - Returns: whether that counts as progress of the response. Bytes of the head do; of a body only its own
    ///   bytes do, not chunk extensions and trailers, with which a peer could hold the request forever. A TLS record may
    ///   contain neither, such as a key update, so only a limited number of events in a row counts. On a new connection
    ///   that may turn out to be HTTP/2, the bytes may be frames of the connection, such as PING: only lines of the head
    ///   count.
    func becameReadable() -> Bool {
        let hasHead = exchange?.response.head.isComplete == true
        guard address?.isSecure == true else { return !hasHead }
        attempt.fruitlessEvents += 1
        if !hasHead, start == .open, driver.options.mayMultiplex, exchange?.isUploading == false { return false }
        return attempt.fruitlessEvents <= Self.mostSegments
    }

    /// Which side has to move the next byte.
    var awaiting: Awaiting {
        if attempt.hasWholeResponse || !isReceiving { return .caller }
        if exchange?.response.head.endsUpload == true { return .response }
        if attempt.pause.bits != 0 { return mayHaveWholeResponse ? .response : .caller }
        return exchange?.isUploading == true ? .peerTakes : .response
    }

    // MARK: Events from libcurl

    /// The connection is ready, and the request is about to be sent. libcurl resends a request on its own when a
    /// reused connection dies, POST included; that decision is the pool's, and ``mayOpenSocket()`` prevents it
    /// earlier.
    ///
    /// - Parameters:
    ///   - localPort: the connection's own port.
    ///   - peer: the address of its peer, which is converted only if a span asks for it.
    /// - Returns: whether libcurl may send. Only the first call returns `true`: after a 417, libcurl would resend
    ///   the request on its own, on a connection with a half-finished exchange.
    func aboutToSend(from localPort: Int32, to peer: @autoclosure () -> PeerAddress?) -> Bool {
        guard attempt.send() else { return false }
        exchange?.phase = .exchange
        if exchange?.isTraced == true { exchange?.acquisition.peer = peer().map(KnownPeer.init) }
        switch start {
        case .open:
            // The handshake has ended.
            attempt.fruitlessEvents = 0
            // Several requests may end on the connection before libcurl reports its descriptor.
            if driver.options.mayMultiplex { slot?.connection = sockets.descriptor(boundTo: localPort) }
            driver.connectionReady(self)
        case .reuse: break
        case .join: driver.joined(self)
        }
        return true
    }

    /// Whether libcurl may open a socket. Not for a transfer that was started on an existing connection or that has
    /// already had one: libcurl found that connection dead or full, and would resend the request on a new one.
    func mayOpenSocket() -> Bool { attempt.openSocket() }

    /// A socket was opened for one of the peer's addresses.
    func socketOpened(_ descriptor: Int32) {
        sockets.add(descriptor)
        driver.socketOpened(descriptor, for: self)
    }

    /// - Returns: whether the transfer may continue.
    func received(header line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let unretained else { return false }
        if !attempt.responseBegan {
            attempt.responseBegan = true
            unretained._withUnsafeGuaranteedRef { $0.response.begin(in: driver.buffers.lend()) }
            driver.responseBegan(self, line)
        }
        return unretained._withUnsafeGuaranteedRef { exchange in
            let hadHead = exchange.response.head.isComplete
            if !hadHead, attempt.fruitlessEvents > 0 {
                // The events by themselves may not have counted.
                if start == .open || attempt.fruitlessEvents > Self.mostSegments { driver.progressed(exchange) }
                attempt.fruitlessEvents = 0
            }
            if let fault = exchange.response.take(header: line) { return refuse(fault.reason) }
            if !hadHead, exchange.response.head.isComplete {
                if !exchange.response.head.isHTTP1, !speaksHTTP2 {
                    return refuse("the status line names HTTP/2 on a connection that did not negotiate it")
                }
                driver.headArrived(exchange)
                if exchange.isUploading { headCameEarly(exchange) }
            }
            return true
        }
    }

    /// Whether the connection carries HTTP/2, whatever its peer writes into a status line.
    private var speaksHTTP2: Bool { slot?.isMultiplexed == true || hasNegotiatedHTTP2 }

    /// Whether HTTP/2 was negotiated, which is possible over TLS only. Where the TLS library does not report it, the
    /// status line is believed.
    var hasNegotiatedHTTP2: Bool {
        guard address?.isSecure == true, driver.options.mayMultiplex else { return false }
        return NegotiatedProtocol.isHTTP2(on: easy) ?? true
    }

    /// What happened to a piece of the body.
    enum Reception {
        case taken
        /// The reader's buffer is full. libcurl keeps the piece and delivers it again.
        case paused
        case refused
    }

    func received(body bytes: UnsafeBufferPointer<UInt8>) -> Reception {
        unretained?._withUnsafeGuaranteedRef { received(body: bytes, of: $0) } ?? .refused
    }

    private func received(body bytes: UnsafeBufferPointer<UInt8>, of exchange: Exchange) -> Reception {
        if attempt.pause.swallows { return .taken }
        attempt.fruitlessEvents = 0
        if let stream = exchange.caller.stream {
            guard stream.hasRoom else { return pauseReceiving() }
            stream.append(bytes)
            driver.bodyArrived(exchange)
        } else {
            guard exchange.response.head.isComplete else {
                refuse("body data arrived before the end of the head")
                return .refused
            }
            guard exchange.response.bodyCount < ResponseStream.highWater else { return pauseReceiving() }
            guard exchange.response.take(body: bytes, expecting: expectedBodyBytes(bytes.count)) else {
                return .refused
            }
        }
        attempt.bodyBytes += UInt64(bytes.count)
        noteIfWhole(exchange)
        return .taken
    }

    func noteWholeResponse() { attempt.hasWholeResponse = true }

    /// The peer does not want the rest of the body. libcurl has given it up as well; unpausing makes it notice that
    /// it has nothing left to wait for.
    func uploadIsRefused() {
        guard isRunning, !attempt.pause.isSending else { return }
        attempt.pause.resume(receiving: false, sending: true)
        let code = curl_easy_pause(easy, attempt.pause.bits)
        if code != CURLE_OK { driver.ended(self, code) }
    }

    /// - Returns: `false`, for use as a callback's result.
    @discardableResult
    private func refuse(_ reason: String) -> Bool {
        attempt.refusal = PoolError(.invalidResponse, reason, phase: .exchange)
        return false
    }

    /// The capacity to reserve for the body, in bytes: all of it, if the response announces its length and it will
    /// arrive at once.
    private func expectedBodyBytes(_ first: Int) -> Int {
        // Less than libcurl's buffer holds is probably the whole body.
        if first < 8 << 10 { return first }
        var announced: curl_off_t = -1
        poolscope_easy_get_offset(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced)
        return max(first, min(Int(announced), ResponseStream.highWater))
    }

    /// Normalizes libcurl's result code across versions.
    func result(_ code: CURLcode) -> CURLcode {
        // From 8.8 on, an unusable client key is reported as a bad argument.
        code == CURLE_BAD_FUNCTION_ARGUMENT && !wasSent && driver.options.hasIdentity ? CURLE_SSL_CERTPROBLEM : code
    }

    /// Copies the next bytes of the request's body into libcurl's buffer.
    ///
    /// - Returns: the number of bytes, 0 at the end of the body, or one of libcurl's constants for pausing and
    ///   aborting.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let exchange else { return Int(CURL_READFUNC_ABORT) }
        // libcurl 7.88 also reads for a paused stream when another stream of the connection becomes writable. If it
        // got data, the transfer would stay paused and never end.
        if !attempt.pause.isSending { return Int(CURL_READFUNC_PAUSE) }
        guard let count = exchange.send(into: buffer) else {
            attempt.pause.pauseSending()
            driver.progressed(self)
            // The response may have arrived within the same call to libcurl.
            if exchange.response.head.endsUpload, slot?.isMultiplexed == true { driver.refusedUploads.append(self) }
            return Int(CURL_READFUNC_PAUSE)
        }
        if attempt.hasWholeResponse { attempt.lastSent = driver.now }
        if !exchange.isUploading {
            // The last byte is sent: from now on, the transfer waits for the response.
            driver.awaits(self)
        } else if slot?.isMultiplexed == true {
            driver.progressed(self)
        }
        return count
    }

    // MARK: Pauses

    /// Pauses by the callback's result, the only way that works in all versions of libcurl. `curl_easy_pause`
    /// within the callback makes 8.6 to 8.14 rearm a timer that is due at once, over and over.
    private func pauseReceiving() -> Reception {
        attempt.pause.pauseReceiving()
        driver.progressed(self)
        return .paused
    }

    /// Unpauses each direction that can continue, after the caller has read or written.
    func goOn() {
        guard isRunning, let exchange else { return }
        let before = attempt.pause
        attempt.pause.resume(receiving: exchange.caller.stream?.hasRoom == true, sending: exchange.upload.hasNews)
        guard attempt.pause.bits != before.bits else { return }
        if isReceiving, !before.isReceiving {
            driver.resume(self)
            if exchange.isUploading { driver.earlyHeads.append(self) }
        }
        driver.awaits(self)
        // Callbacks run within this call. If one of them aborts the transfer, its only effect is that this call
        // fails.
        let code = curl_easy_pause(easy, attempt.pause.bits)
        if code != CURLE_OK { driver.ended(self, code) }
    }
}
