import CLinux
import Glibc
import HTTPPool

/// Checks an idle HTTP/1.1 connection without consuming data.
enum IdleConnection {
    /// Why the connection must not be reused; `nil` if there is nothing to read.
    static func ending(of descriptor: Int32, speaksTLS: Bool) -> CloseReason? {
        var bytes: [64 of UInt8] = .init(repeating: 0)
        let capacity = bytes.count
        // Sound: the kernel writes at most `capacity` bytes.
        let count = withUnsafeMutableBytes(of: &bytes) {
            recv(descriptor, $0.baseAddress, capacity, Int32(MSG_PEEK | MSG_DONTWAIT))
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        guard count > 0 else { return .peerClosed }
        guard speaksTLS else { return .unexpectedData }
        return withUnsafeBytes(of: &bytes) { isFarewell($0[..<count]) } ? .peerClosed : .unexpectedData
    }

    /// Whether the bytes are a TLS alert, which a peer sends before it closes (RFC 8446, 6.1).
    ///
    /// A TLS 1.2 alert is a record of type 21. A TLS 1.3 alert is encrypted like all other records: its record
    /// holds level, description, inner type and a tag of 16 bytes, and no other record is that short.
    private static func isFarewell(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        let header = bytes.prefix(5)
        guard header.count == 5 else { return bytes.first == alert }
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        return bytes[0] == alert || bytes[0] == applicationData && length == encryptedAlertLength
    }

    /// Content types of records (RFC 8446, 5.1).
    private static let alert: UInt8 = 21
    private static let applicationData: UInt8 = 23
    private static let encryptedAlertLength = 2 + 1 + 16
}
