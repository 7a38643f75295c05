import CLibcurl

/// Responses that come before the end of the request's body; see ``EarlyResponse``.
extension CurlTransfer {
    func headCameEarly(_ exchange: Exchange) {
        if exchange.response.head.endsUpload {
            driver.refusedUploads.append(self)
        }
        // The body may have been paused before.
        driver.awaits(self)
        noteIfWhole(exchange)
    }

    private static let neverShowsEnds = LibcurlVersion.loaded.hidesWholeResponses

    /// Whether libcurl shows that a response is whole whose request is not. Of HTTP/2 it never does.
    private var showsEnd: Bool { slot?.isMultiplexed != true && !Self.neverShowsEnds }

    /// Where libcurl does not show that the response is whole, what its head says has to do.
    func noteIfWhole(_ exchange: Exchange) {
        guard !showsEnd, exchange.response.head.isWhole(after: bodyBytes), exchange.isUploading else {
            return
        }
        driver.responseIsWhole(self)
    }

    /// Whether the response may be whole without anybody knowing: neither libcurl nor its head says so.
    var mayHaveWholeResponse: Bool {
        guard !showsEnd, let head = exchange?.response.head else { return false }
        return head.isComplete && head.framing.length == nil
    }

    /// How many bytes of the request's body libcurl has sent, or put into frames.
    var uploadedBytes: Int {
        var count: curl_off_t = 0
        poolscope_easy_get_offset(easy, CURLINFO_SIZE_UPLOAD_T, &count)
        return Int(count)
    }
}
