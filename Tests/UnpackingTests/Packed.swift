import Unpacking

/// Small bodies, packed by gzip, zlib, brotli and zstd, as hexadecimal digits.
enum Packed {
    static let gzipFoo = bytes("1f8b08000000000000ff4bcbcf07002165738c03000000")
    static let gzipBar = bytes("1f8b08000000000000ff4b4a2c0200aa8cff7603000000")
    static let gzipEmpty = bytes("1f8b08000000000000ff03000000000000000000")
    static let zlibABC = bytes("789c4b4c4a0600024d0127")
    static let rawABC = bytes("4b4c4a0600")
    static let storedABC = bytes("010300fcff616263")
    static let brotliFoo = bytes("0f0180666f6f03")
    static let brotliFoobar = bytes("8f0280666f6f62617203")
    static let brotliEmpty = bytes("3f")
    static let brotliLargeWindow = bytes("111a040002666f6f03")
    static let zstdFoo = bytes("28b52ffd2003190000666f6f")
    static let zstdBar = bytes("28b52ffd2003190000626172")
    static let zstdFooWithSum = bytes("28b52ffd0458190000666f6f3fbac459")
    static let zstdSkippable = bytes("502a4d1804000000deadbeef")

    /// "foo" with a head that declares a window of so many bytes: the third byte from the left says how many.
    static func zstdFoo(windowByte: String) -> [UInt8] { bytes("28b52ffd00\(windowByte)190000666f6f") }

    static func bytes(_ digits: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in digits.utf8 {
            let value = digit <= UInt8(ascii: "9") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }

    /// Unpacks a body that comes in chunks of this size.
    static func unpacked(
        _ codings: [ContentCoding],
        _ bytes: [UInt8],
        chunk: Int = .max,
        maxRatio: Int = 100
    ) throws -> [UInt8] {
        let unpacker = try Unpacker(codings, maxRatio: maxRatio)
        var rest = bytes[...]
        var unpacked: [UInt8] = []
        while true {
            switch try unpacker.next() {
            case .piece(let piece): unpacked += piece
            case .end: return unpacked
            case .wantsMore:
                if rest.isEmpty { unpacker.end() }
                unpacker.feed(Array(rest.prefix(chunk)))
                rest = rest.dropFirst(chunk)
            }
        }
    }
}
