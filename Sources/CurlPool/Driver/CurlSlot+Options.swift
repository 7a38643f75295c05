import CLibcurl
import Glibc
import HTTPPool

/// The options of a slot's easy handle: those of its whole life, and those of one request.
extension CurlSlot {
    /// Sets what is the same for every request. Options whose names libcurl knows cannot fail but for memory, and then
    /// the transfer fails with libcurl's own error.
    func setUp() {
        let me = Unmanaged.passUnretained(self).toOpaque()
        let driver = Unmanaged.passUnretained(driver).toOpaque()
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        set(CURLOPT_PATH_AS_IS, 1)
        set(CURLOPT_PROXY, "")
        // The pool's own timers decide when a connection is too old, and when a request has taken too long.
        set(CURLOPT_MAXAGE_CONN, Int(Int32.max))
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(Int32.max))
        // A transfer that is taken away during a look-up would otherwise wait for the resolver's thread.
        set(CURLOPT_QUICK_EXIT, 1)
        if let bundle = Libcurl.certificateBundle {
            set(CURLOPT_CAINFO, bundle)
            poolscope_easy_set_string(easy, CURLOPT_CAPATH, nil)
        }

        // Sound: the driver keeps every slot until all transfers are over, and these callbacks run only during the slot's
        // own transfer, inside libcurl's calls, on the driver's thread.
        poolscope_easy_set_pointer(easy, CURLOPT_PRIVATE, me)
        poolscope_easy_set_pointer(easy, CURLOPT_WRITEDATA, me)
        poolscope_easy_set_data_function(easy, CURLOPT_WRITEFUNCTION, receiveBody)
        poolscope_easy_set_pointer(easy, CURLOPT_HEADERDATA, me)
        poolscope_easy_set_data_function(easy, CURLOPT_HEADERFUNCTION, receiveHeader)
        poolscope_easy_set_pointer(easy, CURLOPT_READDATA, me)
        poolscope_easy_set_data_function(easy, CURLOPT_READFUNCTION, sendBody)
        poolscope_easy_set_pointer(easy, CURLOPT_PREREQDATA, me)
        poolscope_easy_set_prereq_function(easy, beforeRequest)
        poolscope_easy_set_pointer(easy, CURLOPT_OPENSOCKETDATA, me)
        poolscope_easy_set_open_socket_function(easy, openSocket)
        // A connection outlives the handle that opened it, so this one speaks to the driver.
        poolscope_easy_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, driver)
        poolscope_easy_set_close_socket_function(easy, closeSocket)
    }

    /// Sets what differs from request to request. libcurl copies the strings; the header list lives as long as the
    /// exchange, which the slot holds while the transfer runs.
    func describe(_ request: EncodedRequest) -> Bool {
        guard poolscope_easy_set_string(easy, CURLOPT_URL, request.url) == CURLE_OK else { return false }
        // Neither streams nor sockets in the file system yet.
        if case .stream = request.body { return false }
        guard request.unixSocketPath == nil else { return false }
        let isPlain = if case .none = request.body { request.method == "GET" } else { false }
        if !isPlain || !wasPlain { describeMethod(request) }
        wasPlain = isPlain
        return poolscope_easy_set_list(easy, CURLOPT_HTTPHEADER, request.headers.list) == CURLE_OK
    }

    private func describeMethod(_ request: EncodedRequest) {
        // This also undoes what HEAD and a body have set.
        set(CURLOPT_HTTPGET, 1)
        if request.isHead {
            set(CURLOPT_NOBODY, 1)
        } else if case .bytes(let body) = request.body {
            set(CURLOPT_UPLOAD, 1)
            poolscope_easy_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(body.count))
        }
        if request.method == "GET" || request.isHead {
            poolscope_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)
        } else {
            set(CURLOPT_CUSTOMREQUEST, request.method)
        }
    }

    private func set(_ option: CURLoption, _ value: Int) { poolscope_easy_set_long(easy, option, value) }
    private func set(_ option: CURLoption, _ value: String) { poolscope_easy_set_string(easy, option, value) }
}

// MARK: - libcurl's callbacks

/// Sound: the pointer is the one that ``CurlSlot/setUp()`` set, and the driver keeps the slot alive.
private func slot(_ data: UnsafeMutableRawPointer?) -> CurlSlot? {
    data.map { Unmanaged<CurlSlot>.fromOpaque($0).takeUnretainedValue() }
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
    guard let slot = slot(data), slot.received(body: bytes(start, size * count)) else { return 0 }
    return size * count
}

private func receiveHeader(
    start: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    data: UnsafeMutableRawPointer?
) -> Int {
    guard let slot = slot(data), slot.received(header: bytes(start, size * count)) else { return 0 }
    return size * count
}

private func sendBody(
    start: UnsafeMutablePointer<CChar>?,
    size: Int,
    count: Int,
    data: UnsafeMutableRawPointer?
) -> Int {
    guard let slot = slot(data) else { return Int(CURL_READFUNC_ABORT) }
    let sent = slot.send(into: UnsafeMutableRawBufferPointer(start: start, count: size * count))
    // From the last byte on it is the answer that is waited for.
    if !slot.isUploading { slot.driver.progressed(slot) }
    return sent
}

private func beforeRequest(
    data: UnsafeMutableRawPointer?,
    _: UnsafeMutablePointer<CChar>?,
    _: UnsafeMutablePointer<CChar>?,
    _: Int32,
    _: Int32
) -> Int32 {
    guard let slot = slot(data) else { return CURL_PREREQFUNC_ABORT }
    slot.aboutToSend()
    if !slot.isReuse { slot.driver.connectionReady(slot) }
    return CURL_PREREQFUNC_OK
}

private func openSocket(
    data: UnsafeMutableRawPointer?,
    _: curlsocktype,
    address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let slot = slot(data), let address, slot.mayOpenSocket() else { return CURL_SOCKET_BAD }
    let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.pointee.family, kind, address.pointee.protocol)
    if descriptor >= 0 { slot.driver.socketOpened(descriptor, for: slot) }
    return descriptor
}

private func closeSocket(data: UnsafeMutableRawPointer?, descriptor: curl_socket_t) -> Int32 {
    // Sound: the driver outlives its multi handle and all shares, and sockets are closed inside their calls.
    if let data { Unmanaged<CurlDriver>.fromOpaque(data).takeUnretainedValue().socketCloses(descriptor) }
    return close(descriptor)
}
