import NIOCore
import NIOHTTP1
import PoolMetrics

/// A response before it is written.
struct EndpointResponse: Sendable, Hashable {
    var page = EndpointReading.Page.other
    var status: HTTPResponseStatus = .ok
    var contentType = "text/plain; charset=utf-8"
    var body: [UInt8]
    var isMethodRefused = false
    /// The request header fields that decide what the response is; empty if none does.
    var vary = ""
    var isGzip = false
    /// `Content-Security-Policy` of a document for browsers; `nil` for anything else.
    var policy: String?
    /// The size of the body before compression.
    var plainBytes: Int

    init(page: EndpointReading.Page = .other, status: HTTPResponseStatus = .ok, body: [UInt8]) {
        self.page = page
        self.status = status
        self.body = body
        plainBytes = body.count
    }

    /// The response to a request that is refused.
    init(_ fault: HeadFault) {
        self.init(status: fault.status, body: Array("\(fault.reason)\n".utf8))
    }

    /// Writes the head of the response as HTTP/1.
    ///
    /// - Parameter minorVersion: that of the request.
    func writeHead(to buffer: inout ByteBuffer, minorVersion: Int, date: String, closes: Bool) {
        buffer.writeString("HTTP/1.\(min(minorVersion, 1)) \(status.code) \(status.reasonPhrase)\r\nDate: \(date)\r\n")
        buffer.writeString("Content-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n")
        if isGzip { buffer.writeString("Content-Encoding: gzip\r\n") }
        if !vary.isEmpty { buffer.writeString("Vary: \(vary)\r\n") }
        if isMethodRefused { buffer.writeString("Allow: \(EndpointRoutes.allowedMethods)\r\n") }
        buffer.writeString("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        if status == .unauthorized {
            for challenge in Credentials.challenges { buffer.writeString("WWW-Authenticate: \(challenge)\r\n") }
        }
        if let policy {
            buffer.writeString("Content-Security-Policy: \(policy)\r\nX-Frame-Options: DENY\r\n")
            buffer.writeString("Referrer-Policy: no-referrer\r\n")
        }
        buffer.writeString("Connection: \(closes ? "close" : "keep-alive")\r\n\r\n")
    }
}
