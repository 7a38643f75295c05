import CLibcurl
import HTTPPool
import Testing

@testable import CurlPool

@Suite("What a failed transfer is called")
struct FailedTransferTests {
    private typealias Progress = FailedTransfer.Progress

    /// Everything that a transfer may have had when it failed.
    private static let situations: [FailedTransfer] = [PoolError.Phase.connect, .exchange].flatMap { phase in
        [
            Progress(), Progress(hasBegun: true), Progress(hasBegun: true, hasHead: true, bodyBytes: 5),
            Progress(hasBegun: true, hasHead: true, bodyBytes: 5, length: 10),
        ].flatMap { progress in
            [false, true].map { isMultiplexed in
                FailedTransfer(
                    result: CURLE_OK,
                    phase: phase,
                    wasSent: phase == .exchange,
                    progress: progress,
                    isMultiplexed: isMultiplexed
                )
            }
        }
    }

    /// The same with another result.
    private static func failed(_ situation: FailedTransfer, by code: UInt32) -> PoolError {
        FailedTransfer(
            result: CURLcode(rawValue: code),
            phase: situation.phase,
            wasSent: situation.wasSent,
            requestBytes: situation.requestBytes,
            progress: situation.progress,
            isMultiplexed: situation.isMultiplexed
        ).error
    }

    @Test("No error has libcurl's own words, whatever its code", arguments: 1...UInt32(110))
    func ownWords(code: UInt32) {
        let theirs = String(cString: curl_easy_strerror(CURLcode(rawValue: code))).lowercased()
        for situation in Self.situations {
            let reason = Self.failed(situation, by: code).reason
            #expect(!reason.lowercased().contains(theirs))
            #expect(reason.first?.isLowercase == true && reason.last != ".", "\(reason)")
        }
    }

    @Test(
        "Each code that a client can get has a meaning in HTTP, once the request was sent",
        arguments: [
            (CURLE_UNSUPPORTED_PROTOCOL, .invalidResponse, "the response is not HTTP"),
            (
                CURLE_WEIRD_SERVER_REPLY, .invalidResponse,
                "the response is malformed before the body was complete: 5 of 10 bytes"
            ),
            (CURLE_HTTP2, .connectionLost, "the HTTP/2 connection failed before the body was complete: 5 of 10 bytes"),
            (CURLE_PARTIAL_FILE, .connectionLost, "the connection closed before the body was complete: 5 of 10 bytes"),
            (
                CURLE_WRITE_ERROR, .invalidResponse,
                "the response is malformed before the body was complete: 5 of 10 bytes"
            ),
            (
                CURLE_UPLOAD_FAILED, .invalidRequest,
                "the server uses HTTP/1.0, which does not allow a request body of unknown length"
            ),
            (CURLE_READ_ERROR, .connectionLost, "the request was given up while it was being sent"),
            (CURLE_OUT_OF_MEMORY, .invalidResponse, "a header field is longer than libcurl accepts"),
            (CURLE_ABORTED_BY_CALLBACK, .connectionLost, "the request was given up while it was being sent"),
            (CURLE_BAD_FUNCTION_ARGUMENT, .invalidResponse, "a trailer is malformed"),
            (CURLE_GOT_NOTHING, .connectionLost, "the connection closed before the body was complete: 5 of 10 bytes"),
            (CURLE_SEND_ERROR, .connectionLost, "the connection broke while the request was being sent"),
            (CURLE_RECV_ERROR, .connectionLost, "the connection broke before the body was complete: 5 of 10 bytes"),
            (CURLE_BAD_CONTENT_ENCODING, .invalidResponse, "the response has a transfer coding that is not supported"),
            (
                CURLE_HTTP2_STREAM, .connectionLost,
                "the server ended the HTTP/2 stream with an error before the body was complete: 5 of 10 bytes"
            ),
            (
                CURLcode(rawValue: 100), .invalidResponse,
                "the response has more or longer header fields than libcurl accepts"
            ),
            (
                CURLE_FAILED_INIT, .connectionLost,
                "the exchange failed before the body was complete: 5 of 10 bytes (libcurl's code 2)"
            ),
        ] as [(CURLcode, PoolError.Code, String)]
    )
    func sent(result: CURLcode, code: PoolError.Code, reason: String) {
        let progress = Progress(hasBegun: true, hasHead: true, bodyBytes: 5, length: 10)
        let error = FailedTransfer(result: result, progress: progress).error
        #expect(error.code == code)
        #expect(error.reason == reason)
        #expect(error.phase == .exchange)
    }

    @Test(
        "Each code that a client can get has a meaning before there is a connection",
        arguments: [
            (CURLE_UNSUPPORTED_PROTOCOL, .invalidRequest, "libcurl does not accept the request's address"),
            (CURLE_URL_MALFORMAT, .invalidRequest, "libcurl does not accept the request's address"),
            (CURLE_COULDNT_RESOLVE_HOST, .dnsFailed, "the host's name does not resolve"),
            (CURLE_COULDNT_RESOLVE_PROXY, .proxyFailed, "the proxy's name does not resolve"),
            (CURLE_COULDNT_CONNECT, .connectFailed, "no connection to the peer could be opened"),
            (CURLE_OPERATION_TIMEDOUT, .connectTimeout, "the connection was not ready in the time that libcurl allows"),
            (CURLE_OUT_OF_MEMORY, .outOfResources, "libcurl has no memory for the connection"),
            (CURLE_INTERFACE_FAILED, .connectFailed, "the local address of the connection could not be used"),
            (CURLE_HTTP2, .connectFailed, "the peer ended the new HTTP/2 connection"),
            (CURLE_RECV_ERROR, .connectFailed, "the connection broke before it was ready"),
            (CURLE_FAILED_INIT, .connectFailed, "the connection could not be opened (libcurl's code 2)"),
        ] as [(CURLcode, PoolError.Code, String)]
    )
    func unconnected(result: CURLcode, code: PoolError.Code, reason: String) {
        let error = FailedTransfer(result: result, phase: .connect, wasSent: false, requestBytes: 0).error
        #expect(error.code == code)
        #expect(error.reason == reason)
        #expect(error.phase == (code == .invalidRequest ? .submit : .connect))
    }

    @Test(
        "A request that libcurl cannot write is the request's fault",
        arguments: [CURLE_OUT_OF_MEMORY, CURLcode(100)]
    )
    func tooLargeRequest(result: CURLcode) {
        let error = FailedTransfer(result: result, requestBytes: 0).error
        #expect(error.code == .invalidRequest && error.phase == .submit)
        #expect(error.reason == "the head of the request is larger than libcurl sends")
    }

    @Test("What TLS or the proxy says comes before what libcurl makes of it")
    func others() {
        let tls = FailedTransfer(result: CURLE_RECV_ERROR, tlsFault: "tls", proxyFault: "proxy").error
        #expect(tls.code == .tlsFailed && tls.reason == "tls")
        let proxy = FailedTransfer(
            result: CURLE_UNSUPPORTED_PROTOCOL,
            phase: .connect,
            wasSent: false,
            proxyFault: "proxy"
        )
        #expect(proxy.error.code == .proxyFailed && proxy.error.reason == "proxy")
        let refused = FailedTransfer(
            result: CURLE_COULDNT_CONNECT,
            phase: .connect,
            wasSent: false,
            systemWords: "words"
        )
        #expect(refused.error.reason == "words")
    }

    @Test(
        "The place says how much of the response had arrived",
        arguments: [
            (Progress(), false, "the connection closed before a response arrived"),
            (Progress(hasBegun: true), false, "the connection closed within the head of the response"),
            (
                Progress(hasBegun: true, hasHead: true, bodyBytes: 7), false,
                "the connection closed before the end of the body, after 7 bytes"
            ),
            (
                Progress(hasBegun: true, hasHead: true, bodyBytes: 7, length: 9), true,
                "the HTTP/2 stream ended before the body was complete: 7 of 9 bytes"
            ),
        ]
    )
    func place(progress: FailedTransfer.Progress, isMultiplexed: Bool, reason: String) {
        let failed = FailedTransfer(result: CURLE_PARTIAL_FILE, progress: progress, isMultiplexed: isMultiplexed)
        #expect(failed.error.reason == reason)
    }
}
