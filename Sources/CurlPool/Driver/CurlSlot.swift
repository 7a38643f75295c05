import CLibcurl
import Glibc
import HTTPPool

/// One slot of the pool in libcurl's terms: an easy handle, and a share that is the cache of its one connection.
///
/// A cache of its own makes the connection visible and steerable: dropping the share closes exactly this connection,
/// and only this slot's requests can be sent on it. The slot belongs to the driver's thread, which is why accesses are
/// not checked for overlap (see ``CurlDriver``).
final class CurlSlot {
    let id: SlotID
    let easy: UnsafeMutableRawPointer
    unowned let driver: CurlDriver
    @exclusivity(unchecked) private var share: UnsafeMutableRawPointer?

    /// The descriptor of the connection, from the end of the first exchange on it until it is closed.
    @exclusivity(unchecked) var connection: Int32?
    @exclusivity(unchecked) var exchange: Exchange?
    /// The turn of the driver in which its last transfer ended.
    @exclusivity(unchecked) var idleSinceTurn = 0
    /// Whether libcurl has the transfer.
    @exclusivity(unchecked) private(set) var isRunning = false

    /// Whether the handle is set for a GET without a body, so that the next one needs nothing.
    @exclusivity(unchecked) var wasPlain = false

    // The present attempt.
    @exclusivity(unchecked) private(set) var isReuse = false
    /// Libcurl has the connection and is about to send: the request may reach the peer.
    @exclusivity(unchecked) private var wasSent = false
    @exclusivity(unchecked) private var answerBegan = false
    @exclusivity(unchecked) private var refusedToReconnect = false
    @exclusivity(unchecked) private var bodyIsTooLarge = false

    /// - Throws: ``PoolError`` with code `outOfResources` when libcurl has no memory for a handle.
    init(id: SlotID, driver: CurlDriver) throws(PoolError) {
        guard let easy = curl_easy_init() else { throw Self.outOfMemory }
        self.id = id
        self.easy = easy
        self.driver = driver
        setUp()
    }

    deinit { curl_easy_cleanup(easy) }

    // MARK: A transfer

    /// Hands the exchange to libcurl, on a new connection or on the idle one.
    ///
    /// - Returns: whether libcurl took it.
    func start(_ exchange: Exchange, isReuse: Bool, in multi: UnsafeMutableRawPointer) -> Bool {
        self.exchange = exchange
        self.isReuse = isReuse
        wasSent = false
        answerBegan = false
        refusedToReconnect = false
        bodyIsTooLarge = false
        exchange.beginAttempt()
        if share == nil {
            guard let share = curl_share_init() else { return false }
            self.share = share
            guard poolscope_share_connections(share) == CURLSHE_OK,
                poolscope_easy_set_pointer(easy, CURLOPT_SHARE, share) == CURLE_OK
            else { return false }
        }
        guard describe(exchange.request) else { return false }
        isRunning = curl_multi_add_handle(multi, easy) == CURLM_OK
        return isRunning
    }

    /// Takes the transfer away from libcurl. One that was not complete takes its connection along.
    func stop(in multi: UnsafeMutableRawPointer) {
        guard isRunning else { return }
        // libcurl knows the socket from the end of the transfer until the handle is removed.
        if connection == nil { connection = openConnection }
        isRunning = false
        curl_multi_remove_handle(multi, easy)
    }

    /// Closes the slot's connection, if it has one. No transfer may be running.
    func dropConnection() {
        guard let share else { return }
        poolscope_easy_set_pointer(easy, CURLOPT_SHARE, nil)
        // The socket is closed inside this call.
        curl_share_cleanup(share)
        self.share = nil
        // libcurl 7.88 does not tell of a socket that never connected.
        connection = nil
    }

    /// What the end of the transfer means for the pool. libcurl does not have the transfer any more.
    func ending(_ result: CURLcode) -> TransferEnding {
        if result == CURLE_OK { return .complete(keepAlive: connection != nil) }
        let diedUnanswered = isReuse && !answerBegan && Self.meansConnectionDied(result)
        if refusedToReconnect || diedUnanswered { return .stale(sent: wasSent, .peerClosed) }
        return .broken(connectFailure(result))
    }

    /// The connection that libcurl kept after the transfer.
    private var openConnection: Int32? {
        var descriptor = CURL_SOCKET_BAD
        let code = poolscope_easy_get_socket(easy, &descriptor)
        return code == CURLE_OK && descriptor != CURL_SOCKET_BAD ? descriptor : nil
    }

    /// What the caller is told of a transfer that broke.
    func error(_ result: CURLcode) -> PoolError {
        let phase: PoolError.Phase = wasSent || isReuse ? .exchange : .connect
        let words = String(cString: curl_easy_strerror(result))
        if bodyIsTooLarge {
            return PoolError(
                .responseTooLarge,
                "the answer's body has more than the \(ResponseBody.defaultCollectLimit) bytes that may be taken into memory",
                phase: phase
            )
        }
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST: return PoolError(.dnsFailed, "the host's name does not resolve", phase: phase)
        case CURLE_OPERATION_TIMEDOUT: return PoolError(.connectTimeout, words, phase: phase)
        case CURLE_UNSUPPORTED_PROTOCOL where wasSent:
            return PoolError(.invalidResponse, "the answer is not HTTP/1", phase: phase)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT:
            return PoolError(.invalidRequest, "the address cannot be requested", phase: .submit)
        case CURLE_OUT_OF_MEMORY: return PoolError(.outOfResources, words, phase: phase)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR:
            return PoolError(.invalidResponse, words, phase: phase)
        case _ where Self.isTLS(result): return PoolError(.tlsFailed, words, phase: phase)
        case _ where phase == .connect: return PoolError(.connectFailed, systemWords ?? words, phase: phase)
        default: return PoolError(.connectionLost, words, phase: phase)
        }
    }

    // MARK: What libcurl says meanwhile

    /// The connection is ready and the request about to be sent. libcurl sends a request again by itself when a reused
    /// connection dies, POST included; that is the pool's decision, and ``mayOpenSocket()`` stops it earlier.
    func aboutToSend() { wasSent = true }

    /// Whether libcurl may open a socket. A slot that was started on its idle connection has no business to: libcurl
    /// has found the connection dead and would go on with a new one on its own.
    func mayOpenSocket() -> Bool {
        if isReuse { refusedToReconnect = true }
        return !isReuse
    }

    /// - Returns: whether the transfer may go on.
    func received(header line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let exchange else { return false }
        answerBegan = true
        return exchange.response.take(header: line)
    }

    /// - Returns: whether the transfer may go on.
    func received(body bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let exchange else { return false }
        guard exchange.response.body.count + bytes.count <= ResponseBody.defaultCollectLimit else {
            bodyIsTooLarge = true
            return false
        }
        if exchange.response.body.isEmpty { exchange.response.body.reserveCapacity(expectedBodyBytes(bytes.count)) }
        exchange.response.body.append(contentsOf: bytes)
        return true
    }

    /// Room for the whole body where the answer says how long it is, within reason: the peer's word is not yet a byte.
    private func expectedBodyBytes(_ first: Int) -> Int {
        var announced: curl_off_t = -1
        poolscope_easy_get_offset(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced)
        return max(first, min(Int(announced), 4 << 20))
    }

    /// Gives libcurl the next bytes of the request's body; 0 at its end.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let exchange, case .bytes(let body) = exchange.request.body else { return 0 }
        let count = min(buffer.count, body.count - exchange.bodySent)
        body.withUnsafeBytes { bytes in
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[exchange.bodySent..<exchange.bodySent + count])
            )
        }
        exchange.bodySent += count
        return count
    }

    var isUploading: Bool {
        guard let exchange, case .bytes(let body) = exchange.request.body else { return false }
        return exchange.bodySent < body.count
    }

    // MARK: Errors

    private func connectFailure(_ result: CURLcode) -> ConnectFailure {
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST: .dns
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case _ where Self.isTLS(result): .tls
        case CURLE_COULDNT_CONNECT: systemError == ECONNREFUSED ? .refused : .other
        default: .other
        }
    }

    private var systemError: Int32 {
        var number = 0
        poolscope_easy_get_long(easy, CURLINFO_OS_ERRNO, &number)
        return Int32(truncatingIfNeeded: number)
    }

    private var systemWords: String? { systemError == 0 ? nil : String(cString: strerror(systemError)) }

    private static func isTLS(_ result: CURLcode) -> Bool {
        switch result {
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ENGINE_INITFAILED,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
            true
        default: false
        }
    }

    private static func meansConnectionDied(_ result: CURLcode) -> Bool {
        switch result {
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_COULDNT_CONNECT: true
        default: false
        }
    }

    private static var outOfMemory: PoolError {
        PoolError(.outOfResources, "libcurl has no memory for another connection", phase: .connect)
    }
}
