import CLibcurl
import HTTPPool
import HTTPTypes

@testable import CurlPool

// What the tests of this folder read off a request before it goes to libcurl.

extension EncodedRequest {
    init(_ request: HTTPRequest, body: HTTPRequestBody = .none) throws(PoolError) {
        try self.init(request, body: body, defaults: DefaultHeaders([.userAgent: ""]))
    }

    var urlText: String { address.withURL { $0.map { String(cString: $0) } ?? "" } }
}

extension HeaderList {
    /// The lines as libcurl finds them.
    var lines: [[UInt8]] {
        var lines: [[UInt8]] = []
        var node = list
        while let here = node {
            var line: [UInt8] = []
            var next = here.pointee.data
            while let byte = next, byte.pointee != 0 {
                line.append(UInt8(bitPattern: byte.pointee))
                next = byte + 1
            }
            lines.append(line)
            node = here.pointee.next
        }
        return lines
    }

    var texts: [String] { lines.map { String(decoding: $0, as: UTF8.self) } }
}

extension HTTPRequestBody.Content {
    /// What it is, to compare with.
    var kind: String {
        switch self {
        case .none: "none"
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .stream(let stream): "stream of \(stream.length.map { String($0) } ?? "some")"
        }
    }
}

func request(
    _ method: HTTPRequest.Method = .get,
    _ scheme: String? = "http",
    _ authority: String? = "a.example",
    _ path: String? = "/",
    _ fields: HTTPFields = [:]
) -> HTTPRequest {
    HTTPRequest(method: method, scheme: scheme, authority: authority, path: path, headerFields: fields)
}
