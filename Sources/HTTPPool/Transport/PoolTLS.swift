/// The TLS settings of a client: trust, client certificate, minimum version.
public struct PoolTLS: Sendable, Hashable {
    /// Certificates or keys in PEM form.
    @nonexhaustive
    public enum PEM: Sendable, Hashable {
        /// A file, read when the pool is created.
        case file(String)
        /// Bytes in memory.
        case bytes(Secret<[UInt8]>)

        /// Text in memory.
        public static func text(_ pem: String) -> PEM { .bytes(Secret(Array(pem.utf8))) }
    }

    /// The certificate authorities that are trusted.
    @nonexhaustive
    public enum Trust: Sendable, Hashable {
        /// Those of the system.
        case system
        /// Those of the system and the given ones.
        case systemAnd(PEM)
        /// Only the given ones.
        case only(PEM)
    }

    /// The certificate with which the client authenticates itself.
    public struct Identity: Sendable, Hashable {
        /// The certificate, followed by its intermediate certificates.
        public var certificate: PEM
        /// The private key.
        public var privateKey: PEM
        /// The pass phrase of the key, if it is encrypted.
        public var passPhrase: Secret<String>?

        /// Creates an identity.
        public init(certificate: PEM, privateKey: PEM, passPhrase: Secret<String>? = nil) {
            self.certificate = certificate
            self.privateKey = privateKey
            self.passPhrase = passPhrase
        }
    }

    /// A TLS version.
    @nonexhaustive
    public enum Version: String, Sendable, Hashable, CaseIterable {
        /// TLS 1.2 (RFC 5246).
        case tls12 = "1.2"
        /// TLS 1.3 (RFC 8446).
        case tls13 = "1.3"
    }

    /// How a server's certificate is verified.
    @nonexhaustive
    public enum Verification: Sendable, Hashable {
        /// Chain, validity period and host name.
        case full
        /// No verification: anyone on the path can read and modify everything. For tests only.
        case insecurelyAcceptAnyServer
    }

    /// The certificate authorities that are trusted.
    public var trust = Trust.system
    /// The client certificate, if any.
    public var identity: Identity?
    /// The minimum TLS version.
    public var minimumVersion = Version.tls12
    /// How a server's certificate is verified.
    public var verification = Verification.full

    /// The system's certificate authorities, TLS 1.2 or later, full verification.
    public init() {}
}
