/// Why a body cannot be unpacked. Nothing of the body is in it.
package enum UnpackingError: Error, Sendable, Hashable {
    /// The bytes are not what the coding says, or a check sum or length in them is wrong.
    case malformed
    /// The body ended before its coding did.
    case truncated
    /// Something other than zero bytes follows the end of the coding.
    case trailingBytes
    /// More came out than the limit allows for what went in.
    case tooLarge
    case outOfMemory
}
