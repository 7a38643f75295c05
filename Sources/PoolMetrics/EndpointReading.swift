/// What an endpoint reports about itself, at one moment.
package struct EndpointReading: Sendable {
    /// A page of the endpoint, as the label `page` names it.
    package enum Page: String, Sendable, CaseIterable {
        case metrics, status, pools, leases, queue, events, config, healthy, ready
        /// Paths without a page, and requests that were refused before their path counted.
        case other
    }

    /// Why a connection or a request was refused, as the label `reason` names it.
    package enum Refusal: String, Sendable, CaseIterable {
        /// The connection gave way to a newer one, because as many were open as may be.
        case connections
        /// The request was not complete, or its response not taken, in time.
        case deadline
        case headTooLarge = "head_too_large"
        case badRequest = "bad_request"
        /// The `Host` does not name this machine, though the address is a loopback address.
        case host
        case unauthorized
    }

    /// A page and a status code.
    package struct Response: Sendable, Hashable {
        package let page: Page
        package let code: Int

        package init(_ page: Page, _ code: Int) {
            self.page = page
            self.code = code
        }
    }

    /// The status codes that an endpoint sends.
    package static let codes = [200, 400, 401, 404, 405, 408, 414, 421, 431, 500, 501, 503, 505]

    /// How long the last scrape took to be rendered and compressed; 0 before the first.
    package var scrapeSeconds = 0.0
    /// The size of the last exposition before compression; 0 before the first.
    package var scrapeBytes = 0
    /// The connections that are open.
    package var connections = 0
    package var refused: [Refusal: UInt64] = [:]
    package var responses: [Response: UInt64] = [:]

    package init() {}

    /// The number of responses; 0 for what every page is expected to send, `nil` for another code that was not sent.
    func count(_ page: Page, _ code: Int) -> Double? {
        if let count = responses[Response(page, code)] { return Double(count) }
        return code == (page == .other ? 404 : 200) ? 0 : nil
    }
}
