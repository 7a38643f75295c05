import CLibcurl
import Glibc
import HTTPPool
import PoolDecisions

/// One transfer of libcurl: an easy handle, and the exchange that it carries out at present.
///
/// It belongs to the driver's thread, which is why accesses are not checked for overlap (see ``CurlDriver``).
final class CurlTransfer {
    let easy: UnsafeMutableRawPointer
    /// The URL that it asks for: of the site alone, where no proxy may want to know it all.
    let url: OpaquePointer
    /// Sound: the driver holds all its transfers, and lets go of them before it ends.
    unowned(unsafe) let driver: CurlDriver
    /// Sound: the driver keeps every slot until it ends.
    @exclusivity(unchecked) unowned(unsafe) var slot: CurlSlot?
    @exclusivity(unchecked) var exchange: Exchange? {
        didSet { unretained = exchange.map(Unmanaged.passUnretained) }
    }
    /// The exchange again, for callbacks that come several times a request, without counting references.
    /// Sound: `exchange` holds it, and changes only outside of libcurl's calls.
    @exclusivity(unchecked) private var unretained: Unmanaged<Exchange>?
    /// Whether libcurl has the transfer.
    @exclusivity(unchecked) private(set) var isRunning = false

    /// What the handle is set for, so that the next request sets only what differs.
    @exclusivity(unchecked) var mayLookUp = true
    @exclusivity(unchecked) var route: ProxyRules.Route?
    /// The entry by which libcurl knows its peer's address, for as long as it may read it.
    @exclusivity(unchecked) var entry: UnsafeMutablePointer<curl_slist>?
    @exclusivity(unchecked) var wasPlain = false
    @exclusivity(unchecked) var address: RequestAddress?
    @exclusivity(unchecked) var headers: UnsafeMutablePointer<curl_slist>?
    @exclusivity(unchecked) var unixSocketPath: String?

    /// Its connection of HTTP/1.1 has been readable so often without a byte of the response for it.
    @exclusivity(unchecked) private var fruitlessEvents = 0

    // The present attempt.
    @exclusivity(unchecked) private(set) var start = Start.open
    /// Libcurl has the connection and is about to send: the request may reach the peer.
    @exclusivity(unchecked) private(set) var wasSent = false
    @exclusivity(unchecked) private var responseBegan = false
    /// Libcurl wanted another connection for the request.
    @exclusivity(unchecked) private(set) var wantedToSendAgain = false
    /// How many bytes of the response's body were taken.
    @exclusivity(unchecked) private(set) var bodyBytes: UInt64 = 0
    /// Nothing of the response is to come any more.
    @exclusivity(unchecked) private(set) var hasWholeResponse = false
    /// When bytes of the body were last sent after the response was whole.
    @exclusivity(unchecked) private(set) var lastSent: MonotonicTime?
    @exclusivity(unchecked) private var pause = Pause()
    /// What the system said, where the last socket could not be opened for want of a descriptor.
    @exclusivity(unchecked) private(set) var shortage: Int32?
    /// The peer that was looked up for it, where one was.
    @exclusivity(unchecked) private(set) var peer: ReachedPeer?
    /// A socket that is connected to it, until libcurl asks for one.
    @exclusivity(unchecked) private var connected: Int32?
    /// The sockets that it opened; libcurl tries several at once for a host that it knows itself.
    @exclusivity(unchecked) private(set) var opened: [Int32] = []
    /// Where libcurl says what went wrong, in more words than its code has.
    let complaint = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    /// Set when a callback broke the transfer off: why.
    @exclusivity(unchecked) private(set) var refusal: PoolError?

    /// How a transfer comes to its connection.
    enum Start {
        /// It opens one.
        case open
        /// It has the slot's idle one for itself.
        case reuse
        /// It shares one.
        case join
    }

    /// Which directions of the transfer are paused, in libcurl's bits.
    private struct Pause {
        var bits: Int32 = 0
        /// Whatever still comes is thrown away.
        var swallows = false
    }

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

    /// Connections are sought and kept in this cache.
    func attach(to share: UnsafeMutableRawPointer) -> Bool {
        poolscope_easy_set_pointer(easy, CURLOPT_SHARE, share) == CURLE_OK
    }

    func detach() {
        poolscope_easy_set_pointer(easy, CURLOPT_SHARE, nil)
        slot = nil
    }

    /// Hands the exchange to libcurl.
    ///
    /// - Returns: whether libcurl took it.
    func run(_ exchange: Exchange, _ start: Start, in multi: UnsafeMutableRawPointer) -> Bool {
        assert(!isRunning, "a transfer carries out one exchange at a time")
        self.exchange = exchange
        self.start = start
        wasSent = false
        responseBegan = false
        wantedToSendAgain = false
        bodyBytes = 0
        hasWholeResponse = false
        lastSent = nil
        pause = Pause()
        refusal = nil
        fruitlessEvents = 0
        complaint.pointee = 0
        shortage = nil
        opened.removeAll(keepingCapacity: true)
        exchange.beginAttempt(on: self)
        exchange.phase = start == .open ? .connect : .acquire
        describe(start)
        guard describe(exchange.request) else { return false }
        isRunning = curl_multi_add_handle(multi, easy) == CURLM_OK
        return isRunning
    }

    /// The next exchange is to open a connection to this peer; `nil` where nothing had to be looked up.
    func prepareToOpen(to peer: ReachedPeer?) {
        self.peer = peer
        connected = peer?.socket
        describe(peer)
    }

    /// The socket that is connected to the peer and that nobody has taken.
    func takeConnected() -> Int32? {
        defer { connected = nil }
        return connected
    }

    /// Takes the transfer away from libcurl. One that was not complete takes its connection along, unless others are on
    /// it.
    func stop(in multi: UnsafeMutableRawPointer) {
        guard isRunning else { return }
        if pause.bits & CURLPAUSE_RECV != 0, slot?.isMultiplexed == true {
            // libcurl 7.88 keeps what came on a paused stream for ever, unless it is taken from it.
            pause.swallows = true
            curl_easy_pause(easy, 0)
        }
        isRunning = false
        let code = curl_multi_remove_handle(multi, easy)
        assert(code == CURLM_OK, "a transfer is taken away only outside of libcurl's callbacks")
    }

    /// What the end of the transfer means for the pool. libcurl does not have the transfer any more.
    func ending(_ result: CURLcode) -> TransferEnding {
        let isOpen = slot?.connection != nil
        if result == CURLE_OK {
            let framing = exchange?.response.head.framing
            let isLast =
                exchange?.request.isLast == true || framing?.keepAliveSeconds == 0 || framing?.hasDoubtfulChunks == true
            return .complete(keepAlive: isOpen && !isLast)
        }
        if isRefusedExpectation(result) { return .complete(keepAlive: false) }
        // A new HTTP/2 connection may end before it has taken a single request.
        let isNew = start == .open && result != CURLE_SEND_FAIL_REWIND
        let isDead = isNew ? result == CURLE_HTTP2 : Self.meansConnectionDied(result)
        if wantedToSendAgain || hasGivenUp || isDead && !responseBegan { return .stale(sent: wasSent, .peerClosed) }
        return .broken(connectFailure(result), keepAlive: isOpen && slot?.isMultiplexed == true)
    }

    /// Whether the response is a 417, after which libcurl wanted to send the request again, without the expectation. The
    /// response is the caller's, and the connection, on which the server may still wait for the body, is closed.
    func isRefusedExpectation(_ result: CURLcode) -> Bool {
        guard wasSent, exchange?.response.head.isComplete == true else { return false }
        return result == CURLE_ABORTED_BY_CALLBACK || wantedToSendAgain
    }

    /// libcurl wanted another connection for the request, and has done so with this handle five times. It counts over all
    /// the transfers of a handle, and then says in words alone what it is that failed.
    var hasGivenUp: Bool { strncmp(complaint, Self.givingUp, Self.givingUp.utf8.count) == 0 }
    private static let givingUp = "Connection died, tried"

    /// The connection that libcurl kept after the transfer.
    var openConnection: Int32? {
        var descriptor = CURL_SOCKET_BAD
        let code = poolscope_easy_get_socket(easy, &descriptor)
        return code == CURLE_OK && descriptor != CURL_SOCKET_BAD ? descriptor : nil
    }

    /// Whether the body's end was that of its connection, over TLS, and nothing says that the peer meant it to end there.
    var isWithoutClosingAlert: Bool {
        guard let slot, slot.secureContext != nil, !slot.saidClose, let exchange else { return false }
        return exchange.response.head.framing.endsWithConnection && !exchange.request.isHead
    }

    /// Whether the peer is listened to.
    var isReceiving: Bool { pause.bits & CURLPAUSE_RECV == 0 }

    /// The most times in a row that a connection over TLS is readable without a line of the head or a byte of the body: a
    /// record is readable as a whole only, and may come in as many segments.
    private static let mostSegments = 64

    /// Its connection of HTTP/1.1 can be read.
    ///
    /// - Returns: whether that counts as progress of the response. Bytes of the head do; of a body only its own bytes, not
    ///   chunk extensions and trailers, with which a peer could keep the request for ever. Over TLS a record may hold
    ///   neither, such as a key update, so only so many events in a row count. On a new connection that may turn out to be
    ///   HTTP/2's they may be frames of the connection, such as PING: only lines of the head count.
    func becameReadable() -> Bool {
        let hasHead = exchange?.response.head.isComplete == true
        guard address?.isSecure == true else { return !hasHead }
        fruitlessEvents += 1
        if !hasHead, start == .open, driver.options.mayMultiplex, exchange?.isUploading == false { return false }
        return fruitlessEvents <= Self.mostSegments
    }

    /// Who is to move the next byte.
    var awaiting: Awaiting {
        if hasWholeResponse || !isReceiving { return .caller }
        if exchange?.response.head.endsUpload == true { return .response }
        if pause.bits != 0 { return mayHaveWholeResponse ? .response : .caller }
        return exchange?.isUploading == true ? .peerTakes : .response
    }

    // MARK: What libcurl says meanwhile

    /// The connection is ready and the request about to be sent. libcurl sends a request again by itself when a reused
    /// connection dies, POST included; that is the pool's decision, and ``mayOpenSocket()`` stops it earlier.
    ///
    /// - Returns: whether it may send. It does so once: of a server that refuses an expectation (417) it would send the
    ///   request again by itself, on a connection that is half used.
    func aboutToSend(from localPort: Int32) -> Bool {
        if wasSent { return false }
        wasSent = true
        exchange?.phase = .exchange
        switch start {
        case .open:
            // Those were the handshake's.
            fruitlessEvents = 0
            // Several requests may end on the connection before libcurl says which it is.
            if driver.options.mayMultiplex { slot?.connection = opened.first { isBound($0, to: localPort) } }
            driver.connectionReady(self)
        case .reuse: break
        case .join: driver.joined(self)
        }
        return true
    }

    /// Whether libcurl may open a socket. A transfer that was started on a connection, or has had one, has no business to:
    /// libcurl has found it dead, or full, and would go on with a new one on its own.
    func mayOpenSocket() -> Bool {
        if start != .open || wasSent { wantedToSendAgain = true }
        return !wantedToSendAgain
    }

    /// A socket was opened for one of the peer's addresses.
    func socketOpened(_ descriptor: Int32) {
        opened.append(descriptor)
        shortage = nil
        driver.socketOpened(descriptor, for: self)
    }

    /// There was no descriptor for a socket, or none but those that are left to the runtime.
    ///
    /// - Parameter number: what the system said.
    func foundNoDescriptor(_ number: Int32) { shortage = number }

    private func isBound(_ descriptor: Int32, to port: Int32) -> Bool {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return getsockname(descriptor, start, &length) == 0 && UnsafeRawBufferPointer(bytes).port == port
        }
    }

    /// - Returns: whether the transfer may go on.
    func received(header line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let unretained else { return false }
        if !responseBegan {
            responseBegan = true
            unretained._withUnsafeGuaranteedRef { $0.response.begin(in: driver.buffers.lend()) }
            driver.responseBegan(self, line)
        }
        return unretained._withUnsafeGuaranteedRef { exchange in
            let hadHead = exchange.response.head.isComplete
            if !hadHead, fruitlessEvents > 0 {
                // The events by themselves may not have counted.
                if start == .open || fruitlessEvents > Self.mostSegments { driver.progressed(exchange) }
                fruitlessEvents = 0
            }
            if let fault = exchange.response.take(header: line) { return refuse(fault.reason) }
            if !hadHead, exchange.response.head.isComplete {
                driver.headArrived(exchange)
                if exchange.isUploading { headCameEarly(exchange) }
            }
            return true
        }
    }

    /// What became of a piece of the body.
    enum Reception {
        case taken
        /// The reader has enough for now. libcurl keeps the piece, and offers it again.
        case paused
        case refused
    }

    func received(body bytes: UnsafeBufferPointer<UInt8>) -> Reception {
        unretained?._withUnsafeGuaranteedRef { received(body: bytes, of: $0) } ?? .refused
    }

    private func received(body bytes: UnsafeBufferPointer<UInt8>, of exchange: Exchange) -> Reception {
        if pause.swallows { return .taken }
        fruitlessEvents = 0
        if let stream = exchange.stream {
            guard stream.hasRoom else { return pauseReceiving() }
            stream.append(bytes)
            driver.bodyArrived(exchange)
        } else {
            guard exchange.response.head.isComplete else {
                refuse("a body came before the end of the head")
                return .refused
            }
            guard exchange.response.bodyCount < ResponseStream.highWater else { return pauseReceiving() }
            guard exchange.response.take(body: bytes, expecting: expectedBodyBytes(bytes.count)) else {
                return .refused
            }
        }
        bodyBytes += UInt64(bytes.count)
        noteIfWhole(exchange)
        return .taken
    }

    func noteWholeResponse() { hasWholeResponse = true }

    /// The peer wants no more of the body. libcurl has given it up as well, and only has to find out that it waits for
    /// nothing any more.
    func uploadIsRefused() {
        guard isRunning, pause.bits & CURLPAUSE_SEND != 0 else { return }
        pause.bits &= ~CURLPAUSE_SEND
        let code = curl_easy_pause(easy, pause.bits)
        if code != CURLE_OK { driver.ended(self, code) }
    }

    /// - Returns: `false`, for libcurl's callback.
    @discardableResult
    private func refuse(_ reason: String) -> Bool {
        refusal = PoolError(.invalidResponse, reason, phase: .exchange)
        return false
    }

    /// Room for the whole body where the response says how long it is and it will come at once.
    private func expectedBodyBytes(_ first: Int) -> Int {
        // What is less than libcurl's buffer is likely to be all.
        if first < 8 << 10 { return first }
        var announced: curl_off_t = -1
        poolscope_easy_get_offset(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced)
        return max(first, min(Int(announced), ResponseStream.highWater))
    }

    /// What the end of the transfer comes to.
    func result(_ code: CURLcode) -> CURLcode {
        // From 8.8 on, a client key that cannot be used is reported as a bad argument.
        code == CURLE_BAD_FUNCTION_ARGUMENT && !wasSent && driver.options.hasIdentity ? CURLE_SSL_CERTPROBLEM : code
    }

    /// Gives libcurl the next bytes of the request's body.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let exchange else { return Int(CURL_READFUNC_ABORT) }
        // libcurl 7.88 asks a paused stream when another one of the connection may write. Were it given something, the transfer
        // would stay paused, and never end.
        if pause.bits & CURLPAUSE_SEND != 0 { return Int(CURL_READFUNC_PAUSE) }
        guard let count = exchange.send(into: buffer) else {
            pause.bits |= CURLPAUSE_SEND
            driver.progressed(self)
            // The response may have come inside the same call of libcurl's.
            if exchange.response.head.endsUpload, slot?.isMultiplexed == true { driver.refusedUploads.append(self) }
            return Int(CURL_READFUNC_PAUSE)
        }
        if hasWholeResponse { lastSent = driver.now }
        if !exchange.isUploading {
            // From the last byte on it is the response that is waited for.
            driver.awaits(self)
        } else if slot?.isMultiplexed == true {
            driver.progressed(self)
        }
        return count
    }

    /// Whether libcurl may take the body to be at its beginning again. It is, before the first byte of an attempt was sent.
    /// After that libcurl wants it only to send the request again by itself, for which it gets no socket.
    var mayRewind: Bool { start != .open || !wasSent }

    // MARK: Pauses

    /// The only way to pause that all versions of libcurl understand is the callback's result. `curl_easy_pause` inside
    /// the callback makes 8.6 to 8.14 arm a timer that is due at once, again and again.
    private func pauseReceiving() -> Reception {
        pause.bits |= CURLPAUSE_RECV
        driver.progressed(self)
        return .paused
    }

    /// The caller has read, or has written: whatever can go on goes on.
    func goOn() {
        guard isRunning, let exchange else { return }
        var bits = pause.bits
        if exchange.stream?.hasRoom == true { bits &= ~CURLPAUSE_RECV }
        if exchange.upload?.hasNews == true { bits &= ~CURLPAUSE_SEND }
        guard bits != pause.bits else { return }
        let receivesAgain = !isReceiving && bits & CURLPAUSE_RECV == 0
        pause.bits = bits
        if receivesAgain { driver.resume(self) }
        driver.awaits(self)
        // Callbacks run inside this call. One that breaks the transfer off makes the call fail, and nothing else.
        let code = curl_easy_pause(easy, bits)
        if code != CURLE_OK { driver.ended(self, code) }
    }
}

extension UnsafeRawBufferPointer {
    /// The port in a socket's address: both families have it at the same place, in network order.
    var port: Int32 { Int32(self[2]) << 8 | Int32(self[3]) }
}
