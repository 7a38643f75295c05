/// A supported content coding (RFC 9110, 8.4.1; RFC 7932; RFC 8878).
package enum ContentCoding: Sendable, Hashable, CaseIterable {
    case gzip
    /// The zlib format; also raw deflate data without header and checksum, which some servers send.
    case deflate
    case brotli
    case zstd

    /// The value of `Accept-Encoding` for all codings.
    package static let accepted = "gzip, deflate, br, zstd"

    /// The maximum number of codings of one body.
    package static let most = 5

    /// The codings named by `Content-Encoding`, in the order in which they were applied.
    package enum Named: Sendable, Hashable {
        /// All are supported. An empty list means an unencoded body.
        case codings([ContentCoding])
        /// One of them is not supported, so the body is passed on encoded.
        case unknown
        case tooMany
    }

    /// Parses the values of all `Content-Encoding` fields. Empty elements and `identity` are ignored.
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
