/// Whom to trust on a TLS connection, and how to be recognised.
public struct PoolTLS: Sendable, Hashable {
    /// Certificates or keys in PEM form.
    @nonexhaustive
    public enum PEM: Sendable, Hashable {
        /// A file that is read when the pool is made.
        case file(String)
        /// Bytes in memory.
        case bytes(Secret<[UInt8]>)

        /// Text in memory.
        public static func text(_ pem: String) -> PEM { .bytes(Secret(Array(pem.utf8))) }
    }

    /// Whose certificates are accepted.
    @nonexhaustive
    public enum Trust: Sendable, Hashable {
        /// Those of the system.
        case system
        /// Those of the system, and these.
        case systemAnd(PEM)
        /// Only these.
        case only(PEM)
    }

    /// The certificate by which a server recognises this client.
    public struct Identity: Sendable, Hashable {
        /// The certificate, and those between it and the server's authority.
        public var certificate: PEM
        /// Its private key.
        public var privateKey: PEM
        /// The pass phrase of the key, where it has one.
        public var passPhrase: Secret<String>?

        /// Names both.
        public init(certificate: PEM, privateKey: PEM, passPhrase: Secret<String>? = nil) {
            self.certificate = certificate
            self.privateKey = privateKey
            self.passPhrase = passPhrase
        }
    }

    /// A version of TLS.
    @nonexhaustive
    public enum Version: String, Sendable, Hashable, CaseIterable {
        /// RFC 5246.
        case tls12 = "1.2"
        /// RFC 8446.
        case tls13 = "1.3"
    }

    /// Whether a server's certificate is checked.
    @nonexhaustive
    public enum Verification: Sendable, Hashable {
        /// Chain, dates and host name.
        case full
        /// Nothing is checked: anybody on the way can read and change everything. For tests only.
        case insecurelyAcceptAnyServer
    }

    /// Whose certificates are accepted.
    public var trust = Trust.system
    /// The client's own certificate, where it has one.
    public var identity: Identity?
    /// The oldest version that is spoken.
    public var minimumVersion = Version.tls12
    /// Whether a server's certificate is checked.
    public var verification = Verification.full

    /// The system's certificates, TLS 1.2 or newer, everything checked.
    public init() {}
}
