import CLibcurl
import Glibc

/// Detects the `close_notify` alert, with which a peer closes a TLS connection (RFC 8446, 6.1).
///
/// A body delimited by the close of its connection is complete only if the alert arrived. Without it, anyone on the
/// path may have truncated the body, which is an error (RFC 9112, 9.8). libcurl 7.88 to 8.14 do not distinguish the
/// two, so OpenSSL, which libcurl has loaded, is asked to report alerts. Other TLS libraries report an error of
/// their own.
enum ClosingAlert {
    private typealias Report = @convention(c) (_ session: OpaquePointer?, _ place: Int32, _ value: Int32) -> Void

    /// The functions of libssl that are used. Found in the process if libcurl uses OpenSSL.
    private struct OpenSSL: Sendable {
        let setReport: @convention(c) (UnsafeMutableRawPointer, Report?) -> Void
        let setData: @convention(c) (UnsafeMutableRawPointer, Int32, UnsafeMutableRawPointer?) -> Int32
        let data: @convention(c) (UnsafeMutableRawPointer, Int32) -> UnsafeMutableRawPointer?
        let context: @convention(c) (OpaquePointer) -> UnsafeMutableRawPointer?

        init?() {
            // Sound: these are the functions' types in OpenSSL's headers since 1.1.0.
            guard let version = poolscope_version()?.pointee.ssl_version, strncmp(version, "OpenSSL/", 8) == 0,
                let setReport = dlsym(nil, "SSL_CTX_set_info_callback"),
                let setData = dlsym(nil, "SSL_CTX_set_ex_data"), let data = dlsym(nil, "SSL_CTX_get_ex_data"),
                let context = dlsym(nil, "SSL_get_SSL_CTX")
            else { return nil }
            self.setReport = unsafeBitCast(
                setReport,
                to: (@convention(c) (UnsafeMutableRawPointer, Report?) -> Void).self
            )
            self.setData = unsafeBitCast(
                setData,
                to: (@convention(c) (UnsafeMutableRawPointer, Int32, UnsafeMutableRawPointer?) -> Int32).self
            )
            self.data = unsafeBitCast(
                data,
                to: (@convention(c) (UnsafeMutableRawPointer, Int32) -> UnsafeMutableRawPointer?).self
            )
            self.context = unsafeBitCast(context, to: (@convention(c) (OpaquePointer) -> UnsafeMutableRawPointer?).self)
        }
    }

    private static let openSSL = OpenSSL()

    /// Whether alerts can be reported.
    static var isReported: Bool { openSSL != nil }

    /// Reports the alert to `slot` from now on. libcurl creates a context per connection; a connection through a
    /// proxy over TLS has two, the last of which is the origin's.
    static func report(of context: UnsafeMutableRawPointer, to slot: CurlSlot) {
        guard let openSSL else { return }
        slot.secureContext = context
        slot.saidClose = false
        // Sound: the driver retains every slot until it ends, which is after all connections have closed. Index 0
        // is reserved for the application.
        guard openSSL.setData(context, 0, Unmanaged.passUnretained(slot).toOpaque()) == 1 else {
            slot.secureContext = nil
            return
        }
        openSSL.setReport(context) { session, place, value in
            // SSL_CB_READ_ALERT with the description `close_notify`; the level in the upper byte is irrelevant.
            guard place == 0x4004, value & 0xff == 0, let session, let openSSL = ClosingAlert.openSSL,
                let context = openSSL.context(session), let data = openSSL.data(context, 0)
            else { return }
            let slot = Unmanaged<CurlSlot>.fromOpaque(data).takeUnretainedValue()
            if slot.secureContext == context { slot.saidClose = true }
        }
    }
}
