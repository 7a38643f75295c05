import NIOHTTP1
import PoolMetrics

/// Why a request is refused: the status, the counter, and one line for the peer and the log. It repeats nothing of the
/// request.
struct HeadFault: Error, Sendable, Hashable {
    let status: HTTPResponseStatus
    let refusal: EndpointReading.Refusal
    let reason: String

    static func bad(_ reason: String) -> HeadFault {
        HeadFault(status: .badRequest, refusal: .badRequest, reason: reason)
    }

    static let lineTooLong = HeadFault(
        status: .uriTooLong,
        refusal: .headTooLarge,
        reason: "the request line is too long"
    )
    static let headTooLarge = HeadFault(
        status: .requestHeaderFieldsTooLarge,
        refusal: .headTooLarge,
        reason: "the header fields are too large or too many"
    )
    static let version = HeadFault(
        status: .httpVersionNotSupported,
        refusal: .badRequest,
        reason: "the version of HTTP is not supported; use HTTP/1.1"
    )
    static let method = HeadFault(
        status: .notImplemented,
        refusal: .badRequest,
        reason: "the method is not known; use GET or HEAD"
    )
    static let host = HeadFault(
        status: .misdirectedRequest,
        refusal: .host,
        reason: "this address is served as localhost or by its IP address only"
    )
    static let unauthorized = HeadFault(
        status: .unauthorized,
        refusal: .unauthorized,
        reason: "this endpoint asks for a token or a password"
    )
    static let late = HeadFault(
        status: .requestTimeout,
        refusal: .deadline,
        reason: "the request was not complete in time"
    )
}
