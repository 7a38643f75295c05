/// How a server answers a request, for well or ill. The request's path is a slash and the name.
///
/// Every answer repeats the request's token in the field `x-token`, and its body is ``TokenText``. "Poison" is a whole
/// answer, of status 200, that nobody has asked for.
package enum Fault: String, Sendable, CaseIterable {
    // MARK: Good manners

    case plain
    /// Chunked, with a trailer.
    case chunked
    case large
    /// The head comes byte by byte.
    case slowHead
    /// The body comes in many pieces.
    case slowBody
    /// `Connection: close`, with a body.
    case close
    /// `Connection: close`, without one.
    case closeWithoutBody
    /// The body is over when the connection is.
    case closeEndsBody
    case noContent
    case notModified
    /// A hundred 1xx answers first.
    case interimStorm
    /// Nothing comes until the gate lets it through.
    case held
    /// The head and a part of the body come; for the rest see ``held``.
    case heldInBody
    /// As ``held``, and the answer says `Connection: close`.
    case heldClose

    // MARK: Silence

    /// No answer.
    case hang
    case hangInHead
    case hangInBody
    /// 1xx answers without end.
    case endlessInterim

    // MARK: The connection ends

    /// Closed without an answer.
    case drop
    case dropInHead
    /// The body is shorter than `Content-Length` says.
    case lengthTooLong
    case reset
    case resetInHead
    case resetInBody
    /// The connection's first request is answered; at the second it is closed.
    case dropOnReuse
    /// The same with a reset.
    case resetOnReuse

    // MARK: Between requests

    /// Closed soon after the answer.
    case closeIdle
    /// Reset soon after the answer.
    case resetIdle
    /// Bytes that are no answer come soon after the answer.
    case strayIdle
    /// `Content-Length` is too short: poison comes behind it.
    case lengthTooShort
    /// Poison lies behind the last byte of a body that comes by itself.
    case poisonBehindBody
    case noContentWithBody
    case notModifiedWithBody
    /// The answer to HEAD has a body, which is poison.
    case headWithBody

    // MARK: Not HTTP

    case garbage
    /// Fields without end.
    case endlessHead
    case chunkSizeNotHex
    case chunkSizeTooLarge
    case chunkWithoutEnd
    /// The last chunk does not come.
    case chunksCutOff

    /// Those that keep nobody waiting for the gate.
    package static var unheld: [Fault] { allCases.filter { !$0.rawValue.hasPrefix("held") } }

    static let smallBody = 120
    static let largeBody = 200_000

    /// Status and length of the body that a client must make of it; `nil` where only an error is right.
    package func answer(to method: String) -> (status: Int, bodyBytes: Int)? {
        let isHead = method == "HEAD"
        switch self {
        case .closeWithoutBody, .noContent, .noContentWithBody: return (204, 0)
        case .notModified, .notModifiedWithBody: return (304, 0)
        case .large: return (200, isHead ? 0 : Self.largeBody)
        case .plain, .chunked, .slowHead, .slowBody, .close, .closeEndsBody, .interimStorm, .held, .heldInBody,
            .heldClose, .dropOnReuse, .resetOnReuse, .closeIdle, .resetIdle, .strayIdle, .lengthTooShort,
            .poisonBehindBody, .headWithBody:
            return (200, isHead ? 0 : Self.smallBody)
        // The answer to HEAD is whole with its head, whatever is wrong with the body.
        case _ where isOfBody: return isHead ? (200, 0) : nil
        default: return nil
        }
    }

    /// Whether it leaves the head as it should be.
    var isOfBody: Bool {
        switch self {
        case .hangInBody, .chunkSizeNotHex, .chunkSizeTooLarge, .chunkWithoutEnd, .chunksCutOff: true
        default: false
        }
    }
}
