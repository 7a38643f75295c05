internal import NIOCore
internal import NIOHTTP1

/// The parts of a request that its response depends on.
struct Reply {
    let keepsAlive: Bool
    let carriesBody: Bool
    /// False if the token contains characters other than letters, digits, `.`, `_` and `-`. Such a token is not
    /// repeated, because it would need escaping in a header field or in JSON.
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

    /// Pads a small document to about 200 bytes.
    private static let note = String(repeating: "all is well ", count: 12)
    /// Large bodies repeat this one buffer, so they need no more memory.
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
