import CLibcurl
import HTTPPool

/// What is known of a transfer that failed, and what it means in terms of HTTP.
///
/// libcurl's own words are for its many protocols, and vary between its versions. Only those of the system are passed on.
struct FailedTransfer {
    let result: CURLcode
    var phase = PoolError.Phase.exchange
    /// A connection was ready, and libcurl began to send.
    var wasSent = true
    /// How many bytes of requests were sent; 0 if libcurl could not write the head.
    var requestBytes = 1
    var progress = Progress()
    var isMultiplexed = false
    /// libcurl's message mentions a chunk. It has no code of its own for a malformed one.
    var mentionsChunk = false
    /// The TLS error, if that is why the transfer failed.
    var tlsFault: String?
    /// Why the proxy could not be used, if there is one and the transfer failed before the origin was reached.
    var proxyFault: String?
    /// The system's words for why a socket could not be connected.
    var systemWords: String?

    /// How much of the response had arrived.
    struct Progress {
        /// The first line has arrived.
        var hasBegun = false
        var hasHead = false
        var bodyBytes: UInt64 = 0
        /// The length of the body in bytes, if the head announces one.
        var length: UInt64?
    }

    /// `CURLE_TOO_LARGE`, which the headers of older versions do not define.
    private static let tooLarge = CURLcode(rawValue: 100)

    var error: PoolError {
        let (code, reason) = explanation
        // A request that libcurl does not accept never reached a connection.
        return PoolError(code, reason, phase: code == .invalidRequest && !isRefusedByServer ? .submit : phase)
    }

    private var isRefusedByServer: Bool { result == CURLE_UPLOAD_FAILED }

    private var explanation: (PoolError.Code, String) {
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST: return (.dnsFailed, "the host's name does not resolve")
        case CURLE_COULDNT_RESOLVE_PROXY: return (.proxyFailed, "the proxy's name does not resolve")
        case CURLE_OPERATION_TIMEDOUT:
            return (.connectTimeout, "the connection was not ready in the time that libcurl allows")
        case CURLE_UNSUPPORTED_PROTOCOL where wasSent: return (.invalidResponse, "the response is not HTTP")
        case CURLE_UNSUPPORTED_PROTOCOL where proxyFault == nil, CURLE_URL_MALFORMAT:
            return (.invalidRequest, "libcurl does not accept the request's address")
        // The process ends if Swift runs out of memory; what libcurl reports as such here is one of its own limits.
        case CURLE_OUT_OF_MEMORY where wasSent && requestBytes == 0, Self.tooLarge where wasSent && requestBytes == 0:
            return (.invalidRequest, "the head of the request is larger than libcurl sends")
        case CURLE_OUT_OF_MEMORY where wasSent:
            return (.invalidResponse, "a header field is longer than libcurl accepts")
        case CURLE_BAD_FUNCTION_ARGUMENT where wasSent: return (.invalidResponse, "a trailer is malformed")
        case CURLE_OUT_OF_MEMORY: return (.outOfResources, "libcurl has no memory for the connection")
        default: break
        }
        if let tlsFault { return (.tlsFailed, tlsFault) }
        if let proxyFault { return (.proxyFailed, proxyFault) }
        return phase == .connect ? (.connectFailed, whyNotConnected) : whyEnded
    }

    private var whyNotConnected: String {
        switch result {
        case CURLE_COULDNT_CONNECT: systemWords ?? "no connection to the peer could be opened"
        case CURLE_INTERFACE_FAILED: "the local address of the connection could not be used"
        case CURLE_HTTP2: "the peer ended the new HTTP/2 connection"
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING: "the connection broke before it was ready"
        default: "the connection could not be opened (libcurl's code \(result.rawValue))"
        }
    }

    private var whyEnded: (PoolError.Code, String) {
        switch result {
        case CURLE_RECV_ERROR where mentionsChunk: (.invalidResponse, "the chunked body is malformed")
        case CURLE_UPLOAD_FAILED:
            (.invalidRequest, "the server uses HTTP/1.0, which does not allow a request body of unknown length")
        // From 8.14 on, libcurl limits the number of fields itself.
        case Self.tooLarge: (.invalidResponse, "the response has more or longer header fields than libcurl accepts")
        case CURLE_WEIRD_SERVER_REPLY where progress.hasHead: (.invalidResponse, "the response is malformed \(place)")
        case CURLE_WEIRD_SERVER_REPLY: (.invalidResponse, "the head of the response is not valid HTTP")
        case CURLE_BAD_CONTENT_ENCODING: (.invalidResponse, "the response has a transfer coding that is not supported")
        case CURLE_WRITE_ERROR: (.invalidResponse, "the response is malformed \(place)")
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE:
            (.connectionLost, "the \(isMultiplexed ? "HTTP/2 stream ended" : "connection closed") \(place)")
        case CURLE_RECV_ERROR: (.connectionLost, "the connection broke \(place)")
        case CURLE_SEND_ERROR: (.connectionLost, "the connection broke while the request was being sent")
        case CURLE_HTTP2: (.connectionLost, "the HTTP/2 connection failed \(place)")
        case CURLE_HTTP2_STREAM: (.connectionLost, "the server ended the HTTP/2 stream with an error \(place)")
        case CURLE_READ_ERROR, CURLE_ABORTED_BY_CALLBACK:
            (.connectionLost, "the request was given up while it was being sent")
        default: (.connectionLost, "the exchange failed \(place) (libcurl's code \(result.rawValue))")
        }
    }

    /// Where in the response the transfer ended.
    private var place: String {
        guard progress.hasBegun else { return "before a response arrived" }
        guard progress.hasHead else { return "within the head of the response" }
        guard let length = progress.length else {
            return "before the end of the body, after \(progress.bodyBytes) bytes"
        }
        return "before the body was complete: \(progress.bodyBytes) of \(length) bytes"
    }
}
