import CLibcurl
import Glibc
import HTTPPool

/// The options of an easy handle: those set once, and those set for each request.
extension CurlTransfer {
    /// The size of libcurl's receive buffer, in bytes. Larger than its default, so that large bodies arrive in
    /// fewer pieces.
    static let bufferBytes = 64 << 10

    /// How long libcurl keeps the addresses passed to it, in seconds. Each new connection is given current
    /// addresses, so this only has to outlast libcurl's reading of them.
    private static let entryLifetime = 60

    /// Sets the options that are the same for every request. Setting an option that libcurl supports fails only for
    /// lack of memory, and the transfer then fails with libcurl's own error.
    func setUp() {
        let me = Unmanaged.passUnretained(self).toOpaque()
        let driver = Unmanaged.passUnretained(driver).toOpaque()
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        // Sound: the URL handle outlives the easy handle and is modified only between transfers.
        poolscope_easy_set_pointer(easy, CURLOPT_CURLU, UnsafeMutableRawPointer(url))
        set(CURLOPT_BUFFERSIZE, Self.bufferBytes)
        // Bodies are unpacked by their readers: libcurl treats a truncated gzip body as complete.
        set(CURLOPT_HTTP_CONTENT_DECODING, 0)
        // The age of connections and the duration of requests are limited by the pool's own timers.
        set(CURLOPT_MAXAGE_CONN, Int(Int32.max))
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(Int32.max))
        // Removing a transfer during one of libcurl's own look-ups would otherwise wait for the resolver thread.
        set(CURLOPT_QUICK_EXIT, 1)
        self.driver.options.apply(to: easy)
        // Sound: the buffer has the size that libcurl requires, and outlives the handle.
        poolscope_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, complaint)

        // Sound: the driver retains every transfer until all have ended, and these callbacks run only during the
        // transfer, within calls to libcurl, on the driver's thread.
        poolscope_easy_set_pointer(easy, CURLOPT_PRIVATE, me)
        poolscope_easy_set_pointer(easy, CURLOPT_WRITEDATA, me)
        poolscope_easy_set_data_function(easy, CURLOPT_WRITEFUNCTION, receiveBody)
        poolscope_easy_set_pointer(easy, CURLOPT_HEADERDATA, me)
        poolscope_easy_set_data_function(easy, CURLOPT_HEADERFUNCTION, receiveHeader)
        poolscope_easy_set_pointer(easy, CURLOPT_READDATA, me)
        poolscope_easy_set_data_function(easy, CURLOPT_READFUNCTION, sendBody)
        poolscope_easy_set_pointer(easy, CURLOPT_SEEKDATA, me)
        poolscope_easy_set_seek_function(easy, rewindBody)
        poolscope_easy_set_pointer(easy, CURLOPT_PREREQDATA, me)
        poolscope_easy_set_prereq_function(easy, beforeRequest)
        poolscope_easy_set_pointer(easy, CURLOPT_OPENSOCKETDATA, me)
        poolscope_easy_set_open_socket_function(easy, openSocket)
        if ClosingAlert.isReported {
            poolscope_easy_set_pointer(easy, CURLOPT_SSL_CTX_DATA, me)
            poolscope_easy_set_tls_function(easy, beforeHandshake)
        }
        // A connection outlives the handle that opened it, so this callback refers to the driver.
        poolscope_easy_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, driver)
        poolscope_easy_set_close_socket_function(easy, closeSocket)
    }

    /// Sets the options that differ between requests. libcurl copies the strings; the header list lives as long as
    /// the exchange, which the transfer retains while it runs.
    func describe(_ request: EncodedRequest) -> Bool {
        guard address == request.address || describe(request.address) else { return false }
        if !request.isPlain || !wasPlain { describeMethod(request) }
        wasPlain = request.isPlain
        if request.unixSocketPath != unixSocketPath {
            unixSocketPath = request.unixSocketPath
            poolscope_easy_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, unixSocketPath)
        }
        if !driver.options.isDirect { describeRoute(driver.options.proxies.route(to: request.origin)) }
        // libcurl keeps the pointer and reads the list when it sends.
        if request.headers.list == headers { return true }
        headers = request.headers.list
        return poolscope_easy_set_list(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK
    }

    /// - Returns: whether libcurl can parse the address.
    private func describe(_ new: RequestAddress) -> Bool {
        let old = address
        address = nil
        // For an origin over TLS the request target does not depend on the proxy, which only opens a tunnel.
        if driver.options.isDirect || new.isSecure {
            let isAtSite = old.map(new.isAtSite(of:)) ?? false
            guard isAtSite || new.withSite({ curl_url_set(url, CURLUPART_URL, $0, 0) }) == CURLUE_OK,
                new.withTarget({ poolscope_easy_set_string(easy, CURLOPT_REQUEST_TARGET, $0) }) == CURLE_OK
            else { return false }
        } else {
            // libcurl decides whether the proxy gets the absolute URL as the target.
            let flags = UInt32(CURLU_PATH_AS_IS)
            poolscope_easy_set_string(easy, CURLOPT_REQUEST_TARGET, nil)
            guard new.withURL({ curl_url_set(url, CURLUPART_URL, $0, flags) }) == CURLUE_OK else { return false }
        }
        address = new
        return true
    }

    /// Disables libcurl's DNS cache unless a connection is to be opened. Otherwise libcurl scans the whole cache at
    /// the end of every request.
    func describe(_ start: Start) {
        guard (start == .open) != mayLookUp else { return }
        mayLookUp = start == .open
        set(CURLOPT_DNS_CACHE_TIMEOUT, mayLookUp ? Self.entryLifetime : -1)
        if !mayLookUp { describe(nil as ReachedPeer?) }
    }

    /// Passes the peer's address to libcurl, so that it resolves no name.
    func describe(_ peer: ReachedPeer?) {
        guard peer != nil || entry != nil else { return }
        let list = peer.flatMap { curl_slist_append(nil, $0.entry) }
        poolscope_easy_set_list(easy, CURLOPT_RESOLVE, list)
        curl_slist_free_all(entry)
        entry = list
    }

    private func describeRoute(_ new: ProxyRules.Route) {
        guard new != route else { return }
        route = new
        driver.options.apply(new, to: easy)
    }

    private func describeMethod(_ request: EncodedRequest) {
        // Also resets what HEAD or a body has set.
        set(CURLOPT_HTTPGET, 1)
        if request.isHead {
            set(CURLOPT_NOBODY, 1)
        } else if let body = request.bodyWithHead {
            describeBodyWithHead(body)
        } else if request.sendsBody {
            set(CURLOPT_UPLOAD, 1)
            // -1 means an unknown length.
            poolscope_easy_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.count ?? -1))
        }
        // Otherwise libcurl derives the method from these options, for example PUT for a GET with a body.
        let hasLibcurlsOwn = request.isPlain || request.isHead
        poolscope_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, hasLibcurlsOwn ? nil : request.method)
    }

    /// Sends a small body together with the head, in one write. So a peer that responds as soon as it has read the
    /// head does not cost the connection: libcurl closes a connection whose response arrives before the body has
    /// been sent.
    private func describeBodyWithHead(_ body: [UInt8]) {
        set(CURLOPT_POST, 1)
        poolscope_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        _ = body.withUnsafeBytes {
            poolscope_easy_set_bytes(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
        }
    }

    private func set(_ option: CURLoption, _ value: Int) { poolscope_easy_set_long(easy, option, value) }
    private func set(_ option: CURLoption, _ value: String) { poolscope_easy_set_string(easy, option, value) }
}

// MARK: - libcurl's callbacks

/// Sound: the pointer is the one set in ``CurlTransfer/setUp()``, and the driver keeps the transfer alive. The
/// compiler may rely on that too, because reference counting would be a considerable part of a callback's cost.
private func with<Result>(
    _ data: UnsafeMutableRawPointer?,
    or none: Result,
    _ tell: (CurlTransfer) -> Result
) -> Result {
    guard let data else { return none }
    return Unmanaged<CurlTransfer>.fromOpaque(data)._withUnsafeGuaranteedRef(tell)
}

private func bytes(_ start: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(UnsafeMutableRawBufferPointer(start: start, count: count).bindMemory(to: UInt8.self))
}

private func receiveBody(
    start: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    data: UnsafeMutableRawPointer?
) -> Int {
    with(data, or: 0) {
        switch $0.received(body: bytes(start, size * count)) {
        case .taken: size * count
        case .paused: Int(CURL_WRITEFUNC_PAUSE)
        case .refused: 0
        }
    }
}

private func receiveHeader(
    start: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    data: UnsafeMutableRawPointer?
) -> Int {
    with(data, or: 0) { $0.received(header: bytes(start, size * count)) ? size * count : 0 }
}

private func sendBody(
    start: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    data: UnsafeMutableRawPointer?
) -> Int {
    with(data, or: Int(CURL_READFUNC_ABORT)) {
        $0.send(into: UnsafeMutableRawBufferPointer(start: start, count: size * count))
    }
}

private func rewindBody(data: UnsafeMutableRawPointer?, offset: curl_off_t, from: Int32) -> Int32 {
    guard offset == 0, from == SEEK_SET, with(data, or: false, \.attempt.mayRewind) else { return CURL_SEEKFUNC_FAIL }
    return CURL_SEEKFUNC_OK
}

private func beforeHandshake(
    _: UnsafeMutableRawPointer?,
    context: UnsafeMutableRawPointer?,
    data: UnsafeMutableRawPointer?
) -> CURLcode {
    guard let context else { return CURLE_OK }
    ReadAhead.switchOff(in: context)
    with(data, or: ()) { transfer in
        if let slot = transfer.slot { ClosingAlert.report(of: context, to: slot) }
    }
    return CURLE_OK
}

private func beforeRequest(
    data: UnsafeMutableRawPointer?,
    peerAddress: UnsafeMutablePointer<CChar>?,
    _: UnsafeMutablePointer<CChar>?,
    peerPort: Int32,
    localPort: Int32
) -> Int32 {
    with(data, or: CURL_PREREQFUNC_ABORT) { transfer in
        let maySend = transfer.aboutToSend(from: localPort, to: PeerAddress(peerAddress, peerPort))
        return maySend ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }
}

private func openSocket(
    data: UnsafeMutableRawPointer?,
    _: curlsocktype,
    address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let address, with(data, or: false, { $0.mayOpenSocket() }) else { return CURL_SOCKET_BAD }
    // The socket is already connected, by a single non-blocking call to `connect`. The kernel lets the next call,
    // which is libcurl's, succeed.
    if let connected = with(data, or: nil, { $0.sockets.takeConnected() }) {
        with(data, or: ()) { $0.socketOpened(connected) }
        return connected
    }
    let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.pointee.family, kind, address.pointee.protocol)
    let number = errno
    if descriptor < 0, number == EMFILE || number == ENFILE {
        with(data, or: ()) { $0.sockets.foundNoDescriptor(number) }
    }
    if descriptor >= 0, DescriptorLimit.isReserved(descriptor) {
        close(descriptor)
        with(data, or: ()) { $0.sockets.foundNoDescriptor(EMFILE) }
        return CURL_SOCKET_BAD
    }
    if descriptor >= 0 { with(data, or: ()) { $0.socketOpened(descriptor) } }
    return descriptor
}

private func closeSocket(data: UnsafeMutableRawPointer?, descriptor: curl_socket_t) -> Int32 {
    // Sound: the driver outlives its multi handle and all shares, and sockets are closed only within calls on
    // these.
    if let data { Unmanaged<CurlDriver>.fromOpaque(data).takeUnretainedValue().socketCloses(descriptor) }
    return close(descriptor)
}

extension PeerAddress {
    /// `nil` for the peer of a Unix domain socket, which libcurl gives no address.
    fileprivate init?(_ address: UnsafePointer<CChar>?, _ port: Int32) {
        guard let address, address.pointee != 0 else { return nil }
        self.init(address: String(cString: address), port: Int(port))
    }
}
