import Testing
import Unpacking

/// RFC 9110, 8.4.1 (names have no case), 8.4.1.3 (`x-gzip`), 5.6.1.2 (empty elements). golang/go #19248,
/// axios/axios #3181 and node-fetch/node-fetch #661 handed packed bytes out as plain ones.
@Suite("Names of codings")
struct ContentCodingTests {
    @Test(
        "What Content-Encoding says",
        arguments: [
            (["gzip"], .codings([.gzip])), (["GZIP"], .codings([.gzip])), (["X-Gzip"], .codings([.gzip])),
            ([" gzip\t"], .codings([.gzip])), (["gzip,"], .codings([.gzip])), ([",gzip"], .codings([.gzip])),
            (["gzip, identity"], .codings([.gzip])), (["identity"], .codings([])), ([""], .codings([])),
            ([","], .codings([])), (["br, gzip"], .codings([.brotli, .gzip])),
            (["br", "gzip"], .codings([.brotli, .gzip])),
            (["zstd", " ", "deflate,gzip"], .codings([.zstd, .deflate, .gzip])), (["utf-8"], .unknown),
            (["binary"], .unknown), (["aws-chunked"], .unknown), (["gzip, aws-chunked"], .unknown),
            (["gzip", "aws-chunked"], .unknown), (["agzip"], .unknown), (["x-deflate"], .unknown),
            (["gzip;q=1"], .unknown), (["gzip gzip"], .unknown),
            ([String(repeating: "gzip,", count: 5)], .codings(Array(repeating: .gzip, count: 5))),
            ([String(repeating: "gzip,", count: 6)], .tooMany), (Array(repeating: "gzip", count: 50), .tooMany),
        ] as [([String], ContentCoding.Named)]
    )
    func named(values: [String], named: ContentCoding.Named) { #expect(ContentCoding.named(in: values) == named) }
}
