import Foundation
import Glibc

/// The server's side of TLS, to be used record by record: session tickets that come late, key updates, requests for another
/// handshake, closes with and without an alert. No server that is for use does these on command.
///
/// It is OpenSSL's own, which libcurl has loaded into the process already.
package final class TLSPeer: @unchecked Sendable {
    // Sound: OpenSSL lets several threads make sessions of one context, which does not change any more.
    private let context: OpaquePointer

    package enum Version: Int, Sendable, CaseIterable {
        case tls12 = 0x0303
        case tls13 = 0x0304
    }

    /// The name of the protocol that it negotiates, with its length before it. Lives as long as the context.
    private let name: UnsafeMutablePointer<UInt8>?

    /// - Parameters:
    ///   - tickets: how many session tickets it sends right behind the handshake (TLS 1.3).
    ///   - alpn: the protocol that it chooses, whatever the client offers; `nil` if it negotiates none.
    package init(
        _ certificate: TestCertificates.Pair,
        _ version: Version = .tls13,
        tickets: Int = 2,
        alpn: String? = nil
    ) throws {
        guard let context = OpenSSL.newContext(OpenSSL.serverMethod()) else { throw TestFailure("no context for TLS") }
        self.context = context
        name = alpn.map { alpn in
            let bytes = [UInt8(clamping: alpn.utf8.count)] + Array(alpn.utf8)
            let name = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
            name.initialize(from: bytes, count: bytes.count)
            return name
        }
        if let name {
            OpenSSL.chooseProtocol(
                context,
                { _, chosen, length, _, _, name in
                    guard let name = name?.assumingMemoryBound(to: UInt8.self) else { return 3 }
                    chosen?.pointee = UnsafePointer(name + 1)
                    length?.pointee = name.pointee
                    return 0
                },
                name
            )
        }
        guard OpenSSL.useCertificate(context, certificate.certificate) == 1,
            OpenSSL.useKey(context, certificate.key, OpenSSL.filetypePEM) == 1,
            OpenSSL.control(context, OpenSSL.setMinimum, version.rawValue, nil) == 1,
            OpenSSL.control(context, OpenSSL.setMaximum, version.rawValue, nil) == 1,
            OpenSSL.setTickets(context, tickets) == 1
        else { throw TestFailure("the certificate cannot be used") }
    }

    deinit {
        OpenSSL.freeContext(context)
        name?.deallocate()
    }

    /// Does the handshake on a connection.
    ///
    /// - Throws: ``TestFailure`` if it fails.
    package func accept(_ connection: ScriptedPeer.Connection) throws -> TLSSession {
        guard let session = OpenSSL.newSession(context) else { throw TestFailure("no session of TLS") }
        let made = TLSSession(session, on: connection)
        guard OpenSSL.setDescriptor(session, connection.descriptor) == 1, OpenSSL.accept(session) == 1 else {
            throw TestFailure("the handshake failed")
        }
        return made
    }
}

/// TLS on one connection. Only the script's thread uses it.
package final class TLSSession {
    private let session: OpaquePointer
    package let connection: ScriptedPeer.Connection
    private var received: [UInt8] = []

    fileprivate init(_ session: OpaquePointer, on connection: ScriptedPeer.Connection) {
        self.session = session
        self.connection = connection
    }

    deinit { OpenSSL.freeSession(session) }

    /// The name that the client asked for; `nil` where it named none.
    package var serverName: String? { OpenSSL.serverName(session, 0).map { String(cString: $0) } }

    /// Reads a request head; `nil` at the end of the connection.
    package func readHead() -> String? {
        while true {
            if let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
                defer { received.removeSubrange(..<end.upperBound) }
                return String(decoding: received[..<end.upperBound], as: UTF8.self)
            }
            guard readSome() else { return nil }
        }
    }

    /// Waits for bytes; `false` at the end of the connection.
    @discardableResult
    package func readSome() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        let count = OpenSSL.read(session, &buffer, Int32(buffer.count))
        guard count > 0 else { return false }
        received += buffer[..<Int(count)]
        return true
    }

    /// Writes one record, or as many as it needs.
    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    package func write(_ bytes: [UInt8]) -> Bool { OpenSSL.write(session, bytes, Int32(bytes.count)) > 0 }

    /// A plain response of status 200.
    package func answer(_ body: String, headers: String = "") {
        write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Sends the alert that announces the end, and leaves the connection open.
    package func sayClose() { _ = OpenSSL.shutdown(session) }

    /// Sends a session ticket (RFC 8446, 4.6.1).
    package func sendTicket() { if OpenSSL.newTicket(session) == 1 { _ = OpenSSL.handshake(session) } }

    /// Sends a key update, and asks for the client's own where it is told to (RFC 8446, 4.6.3).
    package func updateKey(both: Bool = false) {
        if OpenSSL.keyUpdate(session, both ? 1 : 0) == 1 { _ = OpenSSL.handshake(session) }
    }

    /// Asks for another handshake (TLS 1.2: HelloRequest).
    package func requestHello() { if OpenSSL.renegotiate(session) == 1 { _ = OpenSSL.handshake(session) } }
}

/// What is used of libssl, by its own names. There is no package that gives it to Swift, and it need not be installed for
/// those who build.
private enum OpenSSL {
    typealias Bytes = UnsafePointer<UInt8>
    typealias Text = UnsafePointer<CChar>

    static let serverMethod: @convention(c) () -> OpaquePointer? = find("TLS_server_method")
    static let newContext: @convention(c) (OpaquePointer?) -> OpaquePointer? = find("SSL_CTX_new")
    static let freeContext: @convention(c) (OpaquePointer) -> Void = find("SSL_CTX_free")
    static let useCertificate: @convention(c) (OpaquePointer, Text) -> Int32 = find(
        "SSL_CTX_use_certificate_chain_file"
    )
    static let useKey: @convention(c) (OpaquePointer, Text, Int32) -> Int32 = find("SSL_CTX_use_PrivateKey_file")
    static let control: @convention(c) (OpaquePointer, Int32, Int, UnsafeMutableRawPointer?) -> Int = find(
        "SSL_CTX_ctrl"
    )
    static let setTickets: @convention(c) (OpaquePointer, Int) -> Int32 = find("SSL_CTX_set_num_tickets")
    typealias Choose =
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
            UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> Int32
    static let chooseProtocol: @convention(c) (OpaquePointer, Choose, UnsafeMutableRawPointer?) -> Void = find(
        "SSL_CTX_set_alpn_select_cb"
    )
    static let newSession: @convention(c) (OpaquePointer) -> OpaquePointer? = find("SSL_new")
    static let freeSession: @convention(c) (OpaquePointer) -> Void = find("SSL_free")
    static let setDescriptor: @convention(c) (OpaquePointer, Int32) -> Int32 = find("SSL_set_fd")
    static let accept: @convention(c) (OpaquePointer) -> Int32 = find("SSL_accept")
    static let handshake: @convention(c) (OpaquePointer) -> Int32 = find("SSL_do_handshake")
    static let read: @convention(c) (OpaquePointer, UnsafeMutablePointer<UInt8>, Int32) -> Int32 = find("SSL_read")
    static let write: @convention(c) (OpaquePointer, Bytes, Int32) -> Int32 = find("SSL_write")
    static let shutdown: @convention(c) (OpaquePointer) -> Int32 = find("SSL_shutdown")
    static let newTicket: @convention(c) (OpaquePointer) -> Int32 = find("SSL_new_session_ticket")
    static let keyUpdate: @convention(c) (OpaquePointer, Int32) -> Int32 = find("SSL_key_update")
    static let renegotiate: @convention(c) (OpaquePointer) -> Int32 = find("SSL_renegotiate")
    static let serverName: @convention(c) (OpaquePointer, Int32) -> Text? = find("SSL_get_servername")

    static let filetypePEM: Int32 = 1
    static let setMinimum: Int32 = 123
    static let setMaximum: Int32 = 124

    // Sound: it is opened once and never closed.
    nonisolated(unsafe) private static let library = dlopen("libssl.so.3", RTLD_NOW)

    /// Sound where the type is that of the function, as its header has it. Without the function the tests cannot go on.
    private static func find<Function>(_ name: String) -> Function {
        guard let function = dlsym(library, name) else { preconditionFailure("libssl has no \(name)") }
        return unsafeBitCast(function, to: Function.self)
    }
}
