/// Base64 encoding with padding (RFC 4648, 4).
package enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Encodes bytes as text.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let padding = 3 - group.count
            var bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * padding)
            var quartet = [UInt8](repeating: UInt8(ascii: "="), count: 4)
            for index in (0..<4).reversed() {
                if index < 4 - padding { quartet[index] = digits[bits & 0x3f] }
                bits >>= 6
            }
            text += quartet
        }
        return String(decoding: text, as: UTF8.self)
    }
}
