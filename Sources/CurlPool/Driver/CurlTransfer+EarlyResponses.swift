import CLibcurl

/// Responses that arrive before the request's body has been sent; see ``EarlyResponse``.
extension CurlTransfer {
    func headCameEarly(_ exchange: Exchange) {
        if exchange.response.head.endsUpload {
            driver.refusedUploads.append(self)
        }
        // The upload may already have been paused.
        driver.awaits(self)
        driver.earlyHeads.append(self)
        noteIfWhole(exchange)
    }

    private static let neverShowsEnds = LibcurlVersion.loaded.hidesWholeResponses

    /// Whether libcurl shows that a response is complete while its request is still being sent. For HTTP/2 it never
    /// does.
    private var showsEnd: Bool { slot?.isMultiplexed != true && !Self.neverShowsEnds }

    /// Detects a complete response from its head, where libcurl does not show it.
    func noteIfWhole(_ exchange: Exchange) {
        guard !showsEnd, exchange.response.head.isWhole(after: attempt.bodyBytes), exchange.isUploading else {
            return
        }
        driver.responseIsWhole(self)
    }

    /// Whether the response may be complete without a way to know: neither libcurl nor its head shows it.
    var mayHaveWholeResponse: Bool {
        guard !showsEnd, let head = exchange?.response.head else { return false }
        return head.isComplete && head.framing.length == nil
    }

    /// How many bytes of the request's body libcurl has sent or framed.
    var uploadedBytes: Int {
        var count: curl_off_t = 0
        poolscope_easy_get_offset(easy, CURLINFO_SIZE_UPLOAD_T, &count)
        return Int(count)
    }
}
