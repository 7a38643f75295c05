import Testing
import Unpacking

/// Each body is fed in chunks of every size, so that no result depends on how a body was cut on its way.
@Suite("Unpacking")
struct UnpackerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let codings: [ContentCoding]
        let bytes: [UInt8]
        let result: Result<String, UnpackingError>

        init(_ name: String, _ codings: ContentCoding..., bytes: [UInt8], is text: String) {
            (testDescription, self.codings, self.bytes, result) = (name, codings, bytes, .success(text))
        }

        init(_ name: String, _ codings: ContentCoding..., bytes: [UInt8], fails error: UnpackingError) {
            (testDescription, self.codings, self.bytes, result) = (name, codings, bytes, .failure(error))
        }

        func check() {
            for chunk in Array(1...9) + [bytes.count + 1] {
                let found: Result<String, any Error> = Result {
                    String(decoding: try Packed.unpacked(codings, bytes, chunk: chunk), as: UTF8.self)
                }
                #expect(found.mapError { $0 as? UnpackingError ?? .outOfMemory } == result, "in chunks of \(chunk)")
            }
        }
    }

    private typealias P = Packed

    /// RFC 1952, 2.2 and RFC 8878, 3.1: members and frames follow each other and are one body. What httpx, bun and
    /// urllib3 made of members: the first alone (curl/curl #22156, urllib3/urllib3 #1285); of frames:
    /// dotnet/runtime #129038, seanmonstar/reqwest #2574.
    static let wholeCases: [Case] = [
        Case("gzip", .gzip, bytes: P.gzipFoo, is: "foo"), Case("gzip of nothing", .gzip, bytes: P.gzipEmpty, is: ""),
        Case("two members", .gzip, bytes: P.gzipFoo + P.gzipBar, is: "foobar"),
        Case("members, an empty one among them", .gzip, bytes: P.gzipFoo + P.gzipEmpty + P.gzipBar, is: "foobar"),
        Case("zlib", .deflate, bytes: P.zlibABC, is: "abc"), Case("raw", .deflate, bytes: P.rawABC, is: "abc"),
        Case("raw and stored", .deflate, bytes: P.storedABC, is: "abc"),
        Case("br", .brotli, bytes: P.brotliFoo, is: "foo"),
        Case("br of nothing", .brotli, bytes: P.brotliEmpty, is: ""), Case("zstd", .zstd, bytes: P.zstdFoo, is: "foo"),
        Case("zstd with a sum", .zstd, bytes: P.zstdFooWithSum, is: "foo"),
        Case("two frames", .zstd, bytes: P.zstdFoo + P.zstdBar, is: "foobar"),
        Case("a skippable frame first", .zstd, bytes: P.zstdSkippable + P.zstdFoo, is: "foo"),
        Case("a skippable frame last", .zstd, bytes: P.zstdFoo + P.zstdSkippable, is: "foo"),
        Case("a skippable frame alone", .zstd, bytes: P.zstdSkippable, is: ""),
    ]

    @Test("What is whole", arguments: wholeCases)
    func whole(_ test: Case) { test.check() }

    /// Go, curl and browsers make an empty body of it; OkHttp and aio-libs/aiohttp #609 made an error.
    @Test("A body of no bytes is empty, whatever its coding", arguments: ContentCoding.allCases)
    func empty(coding: ContentCoding) throws {
        #expect(try Packed.unpacked([coding], []) == [])
        #expect(try Packed.unpacked([coding, .gzip], Packed.gzipEmpty) == [])
    }

    /// libcurl reports success for all of them (curl 7.88.1 to 8.21.0); oven-sh/bun #34922,
    /// apple/swift-nio-extras #175.
    @Test("What is cut anywhere is an error", arguments: wholeCases.filter { !$0.testDescription.contains("two") })
    func truncated(_ test: Case) throws {
        // A cut between members or frames leaves whole ones, and cannot be seen.
        let boundaries = [P.gzipFoo.count, (P.gzipFoo + P.gzipEmpty).count, P.zstdSkippable.count, P.zstdFoo.count]
        for count in 1..<max(2, test.bytes.count) where count < test.bytes.count && !boundaries.contains(count) {
            for chunk in [1, count] {
                #expect(throws: UnpackingError.truncated, "after \(count)") {
                    try Packed.unpacked(test.codings, Array(test.bytes.prefix(count)), chunk: chunk)
                }
            }
        }
    }

    @Test("A second member or frame that is cut is an error")
    func truncatedSecond() {
        for (coding, first, second) in [
            (ContentCoding.gzip, P.gzipFoo, P.gzipBar), (.zstd, P.zstdFoo, P.zstdBar),
        ] {
            for count in 1..<second.count {
                #expect(throws: UnpackingError.truncated) {
                    try Packed.unpacked([coding], first + second.prefix(count))
                }
            }
        }
    }

    /// http4s/http4s #1373: the sum was never looked at.
    @Test("A wrong check sum, or length, is an error")
    func checkSums() {
        for (coding, bytes, sumBytes) in [
            (ContentCoding.gzip, P.gzipFoo, 8), (.deflate, P.zlibABC, 4), (.zstd, P.zstdFooWithSum, 4),
        ] {
            for index in bytes.indices.suffix(sumBytes) {
                var changed = bytes
                changed[index] ^= 1
                Case("\(index)", coding, bytes: changed, fails: .malformed).check()
            }
        }
    }

    /// gzip(1) and nodejs/node #7502 pass over zero bytes, CloudFront has sent one after brotli
    /// (lightpanda-io/browser #2797). Go and OkHttp refuse every byte, browsers none; apple/swift-nio-extras #176
    /// span. curl passes over four bytes after raw data.
    static let trailingCases: [Case] = {
        var cases: [Case] = []
        for (coding, bytes, text) in [
            (ContentCoding.gzip, P.gzipFoo, "foo"), (.deflate, P.zlibABC, "abc"), (.deflate, P.rawABC, "abc"),
            (.brotli, P.brotliFoo, "foo"), (.zstd, P.zstdFoo, "foo"),
        ] {
            cases.append(Case("\(coding): zeros", coding, bytes: bytes + P.bytes("0000000000000000"), is: text))
            cases.append(Case("\(coding): a zero", coding, bytes: bytes + [0], is: text))
            let junk = [UInt8](repeating: 0x78, count: 24)
            let error: UnpackingError = coding == .gzip || coding == .zstd ? .malformed : .trailingBytes
            cases.append(Case("\(coding): junk", coding, bytes: bytes + junk, fails: error))
            cases.append(
                Case("\(coding): zeros, then junk", coding, bytes: bytes + [0, 0, 0, 0, 0, 1], fails: .trailingBytes)
            )
        }
        cases.append(Case("raw: four bytes of a sum", .deflate, bytes: P.rawABC + [2, 0x4d, 1, 0x27], is: "abc"))
        cases.append(Case("raw: five bytes", .deflate, bytes: P.rawABC + [2, 0x4d, 1, 0x27, 9], fails: .trailingBytes))
        return cases
    }()

    @Test("After the end only zero bytes may follow", arguments: trailingCases)
    func trailing(_ test: Case) { test.check() }

    /// RFC 9659, 3 for zstd's window: Chromium and Firefox refuse more than 8 MiB (tower-rs/tower-http #490); libcurl
    /// allows 128. RFC 7932, 9.1: brotli's large windows are another format.
    static let windowsCases: [Case] = [
        Case("8 MiB", .zstd, bytes: P.zstdFoo(windowByte: "68"), is: "foo"),
        Case("16 MiB", .zstd, bytes: P.zstdFoo(windowByte: "70"), fails: .malformed),
        Case("128 MiB", .zstd, bytes: P.zstdFoo(windowByte: "88"), fails: .malformed),
        Case("brotli's large window", .brotli, bytes: P.brotliLargeWindow, fails: .malformed),
    ]

    @Test("A window that is too large is refused", arguments: windowsCases)
    func windows(_ test: Case) { test.check() }

    @Test("What is another coding is refused", arguments: ContentCoding.allCases)
    func other(coding: ContentCoding) {
        for (other, bytes) in [
            (ContentCoding.gzip, P.gzipFoo), (.deflate, P.zlibABC), (.zstd, P.zstdFoo),
            (.gzip, Array("plain text".utf8)),
        ] where other != coding || bytes.first == UInt8(ascii: "p") {
            #expect(throws: UnpackingError.self) { try Packed.unpacked([coding], bytes) }
        }
    }

    @Test("Codings are undone in the reverse of their order")
    func layers() throws {
        // gzip's stored form around the brotli data: `Content-Encoding: br, gzip`.
        let brotli = P.brotliFoo
        let zlib = [0x78, 0x01, 0x01, UInt8(brotli.count), 0, ~UInt8(brotli.count), 0xff] + brotli + adler32(brotli)
        Case("br in deflate", .brotli, .deflate, bytes: zlib, is: "foo").check()
        Case("the other way round", .deflate, .brotli, bytes: zlib, fails: .malformed).check()
    }

    private func adler32(_ bytes: [UInt8]) -> [UInt8] {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return withUnsafeBytes(of: (b << 16 | a).bigEndian) { Array($0) }
    }
}
