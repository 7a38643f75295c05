import CLibcurl
import Glibc

/// The protocol that TLS negotiated for a connection (ALPN, RFC 7301).
///
/// libcurl 7.88 takes a status line that names HTTP/2 at its word, and reports that version. So OpenSSL, which libcurl
/// has loaded, is asked.
enum NegotiatedProtocol {
    private typealias Selected =
        @convention(c) (
            _ session: UnsafeMutableRawPointer, _ name: UnsafeMutablePointer<UnsafePointer<UInt8>?>,
            _ length: UnsafeMutablePointer<UInt32>
        ) -> Void

    // Sound: this is the function's type in OpenSSL's headers since 1.0.2.
    private static let selected = dlsym(nil, "SSL_get0_alpn_selected").map { unsafeBitCast($0, to: Selected.self) }

    /// Whether HTTP/2 was negotiated on the TLS connection of a running transfer.
    ///
    /// - Returns: `nil` if that is unknown, because libcurl does not use OpenSSL.
    static func isHTTP2(on easy: UnsafeMutableRawPointer) -> Bool? {
        guard let selected, let session = poolscope_easy_get_openssl_session(easy) else { return nil }
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        // Sound: OpenSSL owns the name for as long as the session exists, which the transfer's connection keeps.
        selected(session, &name, &length)
        return UnsafeBufferPointer(start: name, count: Int(length)).elementsEqual("h2".utf8)
    }
}
