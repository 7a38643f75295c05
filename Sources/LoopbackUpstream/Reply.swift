internal import NIOCore
internal import NIOHTTP1

/// What of a request its answer needs.
struct Reply {
    let keepsAlive: Bool
    let carriesBody: Bool
    /// False where the token holds something else than letters, digits, `.`, `_` and `-`: such a one is not repeated,
    /// because it could not stand in a header field and in JSON as it is.
    let isAcceptable: Bool
    private let token: String?
    private let method: String
    private let requestBody: ByteBuffer

    init(to head: HTTPRequestHead, body: ByteBuffer) {
        keepsAlive = head.isKeepAlive && head.version == .http1_1
        carriesBody = head.method != .HEAD
        let token = head.headers.first(name: "x-token")
        isAcceptable = token?.utf8.allSatisfy(Self.mayStandInToken) ?? true
        self.token = isAcceptable ? token : nil
        method = head.method.rawValue
        requestBody = body
    }

    func fields(for body: UpstreamAnswer.Body) -> HTTPHeaders {
        var fields: HTTPHeaders = ["x-method": method]
        fields.add(name: "content-type", value: body == .json ? "application/json" : "application/octet-stream")
        if let token { fields.add(name: "x-token", value: token) }
        return fields
    }

    func chunks(of body: UpstreamAnswer.Body, status: HTTPResponseStatus) -> [ByteBuffer] {
        switch body {
        case .json:
            let token = token.map { "\"\($0)\"" } ?? "null"
            return [ByteBuffer(string: #"{"status":\#(status.code),"token":\#(token),"note":"\#(Self.note)"}"#)]
        case .filling(let bytes):
            let (whole, rest) = bytes.quotientAndRemainder(dividingBy: Self.filling.readableBytes)
            var chunks = [ByteBuffer](repeating: Self.filling, count: whole)
            if let last = Self.filling.getSlice(at: 0, length: rest), rest > 0 { chunks.append(last) }
            return chunks
        case .echo: return [requestBody]
        }
    }

    /// Brings a small document to about 200 bytes.
    private static let note = String(repeating: "all is well ", count: 12)
    /// Large answers are made of this one piece of memory, however large they are.
    private static let filling = ByteBuffer(repeating: UInt8(ascii: "x"), count: 64 << 10)

    private static func mayStandInToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
