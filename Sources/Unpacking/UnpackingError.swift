/// Why a body cannot be decoded. Contains nothing of the body.
package enum UnpackingError: Error, Sendable, Hashable {
    /// The bytes are invalid for the coding, or have a wrong checksum or length.
    case malformed
    /// The body ended before the end of the coding.
    case truncated
    /// Non-zero bytes follow the end of the coding.
    case trailingBytes
    /// The output exceeds the limit for the input.
    case tooLarge
    case outOfMemory
}
