/// Text that says in every line whose it is: the token of one request, over and over.
///
/// A body of it that belongs to another request, or to two, is found wherever one looks.
package enum TokenText {
    package static func bytes(of token: String, count: Int) -> [UInt8] {
        var bytes = Array("\(token)\n".utf8)
        bytes.reserveCapacity(count)
        // Twice as much each time; what begins at a line's beginning continues it.
        while bytes.count < count { bytes.append(contentsOf: Array(bytes.prefix(count - bytes.count))) }
        bytes.removeLast(max(0, bytes.count - count))
        return bytes
    }

    /// Whether the bytes are text of this token and no other.
    package static func isText(_ bytes: [UInt8], of token: String) -> Bool {
        bytes == Self.bytes(of: token, count: bytes.count)
    }
}
