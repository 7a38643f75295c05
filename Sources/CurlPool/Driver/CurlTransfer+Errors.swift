import CLibcurl
import Glibc
import HTTPPool

/// Maps libcurl's result codes to the pool's metrics and to errors for the caller.
extension CurlTransfer {
    /// The error for a transfer that failed.
    func error(_ result: CURLcode) -> PoolError {
        if let refusal = attempt.refusal { return refusal }
        if attempt.wantedToSendAgain || hasGivenUp || result == CURLE_SEND_FAIL_REWIND {
            return CurlDriver.connectionDied
        }
        let phase: PoolError.Phase = wasSent || start != .open ? .exchange : .connect
        if phase == .connect, isForWantOfDescriptor(result) { return DescriptorLimit.error(sockets.shortage ?? EMFILE) }
        let head = exchange?.response.head
        return FailedTransfer(
            result: result,
            phase: phase,
            wasSent: wasSent,
            requestBytes: requestBytes,
            progress: FailedTransfer.Progress(
                hasBegun: attempt.responseBegan,
                hasHead: head?.isComplete == true,
                bodyBytes: attempt.bodyBytes,
                length: head?.framing.length
            ),
            isMultiplexed: slot?.isMultiplexed == true,
            mentionsChunk: String(cString: complaint).contains("chunk"),
            tlsFault: Self.isTLS(result) || tlsAlert != nil ? tlsFault(result) : nil,
            proxyFault: phase == .connect && leadsToProxy ? proxyFault : nil,
            systemWords: systemWords
        ).error
    }

    func connectFailure(_ result: CURLcode) -> ConnectFailure {
        switch result {
        case _ where isForWantOfDescriptor(result): .noDescriptor
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .dns
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case _ where Self.isTLS(result): .tls
        case CURLE_COULDNT_CONNECT: systemError == ECONNREFUSED ? .refused : .other
        default: .other
        }
    }

    /// The resolver needs descriptors too, and does not report why it found nothing.
    private func isForWantOfDescriptor(_ result: CURLcode) -> Bool {
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: DescriptorLimit.isReached
        default: sockets.shortage != nil
        }
    }

    // MARK: TLS

    /// Whether a socket to the origin is connected, and the peer has yet to complete the TLS handshake on it.
    var isInHandshake: Bool {
        guard isRunning, start == .open, !wasSent, address?.isSecure == true, !leadsToProxy, let slot else {
            return false
        }
        // libcurl may have closed some of them, whose numbers others have now.
        return sockets.opened.contains { driver.sockets[$0].slot == slot.id && OpeningSockets.isConnected($0) }
    }

    private func tlsFault(_ result: CURLcode) -> String {
        switch result {
        case CURLE_PEER_FAILED_VERIFICATION: certificateFault
        case CURLE_SSL_CERTPROBLEM:
            "the client certificate or its key cannot be used: they do not match, or the pass phrase is wrong"
        case CURLE_SSL_CACERT_BADFILE: "the trusted authorities are not valid certificates"
        default: "the TLS handshake failed: \(tlsReason ?? "the peer closed the connection")"
        }
    }

    /// Describes what is wrong with the peer's certificate.
    private var certificateFault: String {
        // Without a tunnel, the TLS handshake was with the proxy.
        let isProxys = leadsToProxy && tunnelStatus == 0
        var verdict = 0
        poolscope_easy_get_long(easy, isProxys ? CURLINFO_PROXY_SSL_VERIFYRESULT : CURLINFO_SSL_VERIFYRESULT, &verdict)
        let whose = isProxys ? "the proxy's" : "the server's"
        // OpenSSL's verification codes (x509_vfy.h).
        return switch verdict {
        // The chain verified, so the name did not match.
        case 0, 1, 62: "\(whose) certificate is for another host"
        case 9: "\(whose) certificate is not valid yet"
        case 10: "\(whose) certificate has expired"
        case 18, 19: "\(whose) certificate, or its authority, is self-signed and not trusted"
        case 2, 20, 21: "the authority of \(whose) certificate is unknown"
        case 23: "\(whose) certificate is revoked"
        default: "\(whose) certificate is not accepted (code \(verdict))"
        }
    }

    /// OpenSSL's reason for the failure. One of OpenSSL's fixed texts; contains nothing that the peer sent.
    private var tlsReason: Substring? {
        let words = String(cString: complaint)
        guard let mark = words.firstRange(of: "SSL routines::") else { return nil }
        return words[mark.upperBound...].prefix { $0 != "," }
    }

    /// OpenSSL's reason, if the peer sent an alert and closed the connection because of the client's handshake.
    /// With TLS 1.3, a server can do so only after the client has sent its request.
    private var tlsAlert: Substring? { tlsReason.flatMap { $0.contains(" alert ") ? $0 : nil } }

    // MARK: The proxy

    /// Whether the request goes through a proxy.
    var leadsToProxy: Bool {
        exchange.map { driver.options.proxies.route(to: $0.request.origin) != .direct } ?? false
    }

    private var proxyFault: String {
        let status = tunnelStatus
        if status != 0, status / 100 != 2 { return "the proxy did not open a tunnel (status \(status))" }
        if let systemWords { return "the proxy could not be reached: \(systemWords)" }
        return "the proxy did not open a tunnel"
    }

    /// The status of the proxy's response to CONNECT; 0 if there was none.
    private var tunnelStatus: Int {
        var status = 0
        poolscope_easy_get_long(easy, CURLINFO_HTTP_CONNECTCODE, &status)
        return status
    }

    /// How many bytes of requests were sent; 0 where libcurl could not write the head.
    private var requestBytes: Int {
        var count = 0
        poolscope_easy_get_long(easy, CURLINFO_REQUEST_SIZE, &count)
        return count
    }

    // MARK: The system

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

    /// Whether the result means that the whole connection is dead, rather than one of its streams. libcurl rewinds
    /// a body in order to send it again on another connection.
    static func meansConnectionDied(_ result: CURLcode) -> Bool {
        switch result {
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_COULDNT_CONNECT, CURLE_SEND_FAIL_REWIND,
            CURLE_HTTP2:
            true
        default: false
        }
    }
}
