/// A coding of a body that can be undone (RFC 9110, 8.4.1; RFC 7932; RFC 8878).
package enum ContentCoding: Sendable, Hashable, CaseIterable {
    case gzip
    /// zlib's format; also without its head and check sum, as some servers send it.
    case deflate
    case brotli
    case zstd

    /// What `Accept-Encoding` says of all of them.
    package static let accepted = "gzip, deflate, br, zstd"

    /// The most that are undone one after the other.
    package static let most = 5

    /// What the values of `Content-Encoding` name, in the order in which they were applied.
    package enum Named: Sendable, Hashable {
        /// All can be undone. None at all is a body as it is.
        case codings([ContentCoding])
        /// One of them is not known here, so the body is for whoever knows it.
        case unknown
        case tooMany
    }

    /// Reads the values of all `Content-Encoding` fields. Empty elements and `identity` say nothing.
    package static func named(in values: [String]) -> Named {
        var codings: [ContentCoding] = []
        for value in values {
            for element in value.split(separator: ",") {
                let name = element.trimmed.lowercased()
                if name.isEmpty || name == "identity" { continue }
                guard let coding = ContentCoding(name: name) else { return .unknown }
                codings.append(coding)
            }
        }
        return codings.count <= most ? .codings(codings) : .tooMany
    }

    private init?(name: String) {
        switch name {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "br": self = .brotli
        case "zstd": self = .zstd
        default: return nil
        }
    }

    func makeDecoder() throws(UnpackingError) -> any Decoder {
        switch self {
        case .gzip: try GzipDecoder()
        case .deflate: DeflateDecoder()
        case .brotli: try BrotliDecoder()
        case .zstd: try ZstdDecoder()
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = self
        while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
        return rest
    }
}
