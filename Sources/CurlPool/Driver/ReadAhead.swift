import Glibc

/// What OpenSSL takes from the kernel before libcurl asks for it.
///
/// From 8.15 on libcurl lets OpenSSL read ahead. Records behind a response then lie in OpenSSL's memory, where neither the
/// kernel tells of them nor libcurl looks before it uses the connection again: a response that nobody asked for would be
/// the next request's, and a closing alert would go unseen.
enum ReadAhead {
    // Sound: this is the function's type, as OpenSSL's headers have it.
    private static let control = dlsym(nil, "SSL_CTX_ctrl").map {
        unsafeBitCast(
            $0,
            to: (@convention(c) (UnsafeMutableRawPointer, Int32, Int, UnsafeMutableRawPointer?) -> Int).self
        )
    }

    /// Sessions of this context read a record when it is asked for. The context is OpenSSL's.
    static func switchOff(in context: UnsafeMutableRawPointer) {
        // SSL_CTRL_SET_READ_AHEAD.
        _ = control?(context, 41, 0, nil)
    }
}
