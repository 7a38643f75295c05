import Glibc

/// Disables OpenSSL's read-ahead.
///
/// From 8.15 on, libcurl lets OpenSSL read ahead. Records that follow a response may then sit in OpenSSL's memory,
/// where the kernel does not report them and libcurl does not look before it reuses the connection: an unsolicited
/// response would be taken for that of the next request, and a closing alert would be missed.
enum ReadAhead {
    // Sound: this is the function's type in OpenSSL's headers.
    private static let control = dlsym(nil, "SSL_CTX_ctrl").map {
        unsafeBitCast(
            $0,
            to: (@convention(c) (UnsafeMutableRawPointer, Int32, Int, UnsafeMutableRawPointer?) -> Int).self
        )
    }

    /// Makes the context's sessions read each record only when it is needed. `context` must be OpenSSL's.
    static func switchOff(in context: UnsafeMutableRawPointer) {
        // SSL_CTRL_SET_READ_AHEAD.
        _ = control?(context, 41, 0, nil)
    }
}
