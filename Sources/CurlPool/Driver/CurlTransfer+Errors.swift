import CLibcurl
import Glibc
import HTTPPool

/// What libcurl's result means: for the pool's numbers, and for the caller.
extension CurlTransfer {
    /// What the caller is told of a transfer that broke.
    func error(_ result: CURLcode) -> PoolError {
        if let refusal { return refusal }
        let phase: PoolError.Phase = wasSent || start != .open ? .exchange : .connect
        let words = String(cString: curl_easy_strerror(result))
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST: return PoolError(.dnsFailed, "the host's name does not resolve", phase: phase)
        case CURLE_COULDNT_RESOLVE_PROXY:
            return PoolError(.proxyFailed, "the proxy's name does not resolve", phase: phase)
        case _ where !wasSent && tunnelRefusal != nil:
            return PoolError(
                .proxyFailed,
                "the proxy opened no tunnel and answered \(tunnelRefusal ?? 0)",
                phase: .connect
            )
        case CURLE_OPERATION_TIMEDOUT: return PoolError(.connectTimeout, words, phase: phase)
        case CURLE_UNSUPPORTED_PROTOCOL where wasSent:
            return PoolError(.invalidResponse, "the answer is not HTTP", phase: phase)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT:
            return PoolError(.invalidRequest, "the address cannot be requested", phase: .submit)
        case CURLE_OUT_OF_MEMORY: return PoolError(.outOfResources, words, phase: phase)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR:
            return PoolError(.invalidResponse, words, phase: phase)
        case _ where Self.isTLS(result): return PoolError(.tlsFailed, certificateFault(result) ?? words, phase: phase)
        case _ where phase == .connect: return PoolError(.connectFailed, systemWords ?? words, phase: phase)
        default: return PoolError(.connectionLost, words, phase: phase)
        }
    }

    func connectFailure(_ result: CURLcode) -> ConnectFailure {
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .dns
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case _ where Self.isTLS(result): .tls
        case CURLE_COULDNT_CONNECT: systemError == ECONNREFUSED ? .refused : .other
        default: .other
        }
    }

    /// What is wrong with the server's certificate, where that is what failed.
    private func certificateFault(_ result: CURLcode) -> String? {
        guard result == CURLE_PEER_FAILED_VERIFICATION else { return nil }
        var verdict = 0
        poolscope_easy_get_long(easy, CURLINFO_SSL_VERIFYRESULT, &verdict)
        // The numbers are OpenSSL's (x509_vfy.h).
        return switch verdict {
        // The chain is in order, so it is the name.
        case 0, 62: "the server's certificate is for another host"
        case 9: "the server's certificate is not valid yet"
        case 10: "the server's certificate has expired"
        case 18, 19: "the server's certificate, or its authority, is self-signed and not trusted"
        case 2, 20, 21: "the authority of the server's certificate is unknown"
        case 23: "the server's certificate is revoked"
        default: "the server's certificate is not accepted (code \(verdict))"
        }
    }

    /// The status with which a proxy refused the tunnel.
    private var tunnelRefusal: Int? {
        var status = 0
        poolscope_easy_get_long(easy, CURLINFO_HTTP_CONNECTCODE, &status)
        return status == 0 || status / 100 == 2 ? nil : status
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

    static func meansConnectionDied(_ result: CURLcode) -> Bool {
        switch result {
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_COULDNT_CONNECT, CURLE_SEND_FAIL_REWIND,
            CURLE_HTTP2,
            CURLE_HTTP2_STREAM:
            true
        default: false
        }
    }
}
