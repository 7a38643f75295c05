private import Glibc
package import Logging
package import NIOSSL
private import Synchronization

/// A certificate with its key, read again from their files when these change.
package final class TLSIdentity: Sendable {
    private struct State {
        var context: NIOSSLContext
        var version: [Int]
        var lastLook: Int
    }

    private let certificate: String
    private let key: String
    private let logger: Logger
    private let state: Mutex<State>

    /// - Throws: a description of what cannot be used, without anything of its contents.
    package init(certificate: String, key: String, logger: Logger) throws(Fault) {
        self.certificate = certificate
        self.key = key
        self.logger = logger
        let version = Self.version(certificate, key)
        state = Mutex(State(context: try Self.read(certificate, key), version: version, lastLook: Self.seconds()))
    }

    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    /// The context for a new connection. Looks at the files once a second at most.
    package func context() -> NIOSSLContext {
        state.withLock { state in
            let now = Self.seconds()
            guard now != state.lastLook else { return state.context }
            state.lastLook = now
            let version = Self.version(certificate, key)
            guard version != state.version else { return state.context }
            state.version = version
            do throws(Fault) {
                state.context = try Self.read(certificate, key)
            } catch {
                logger.warning(
                    "the certificate of the metrics endpoint is unchanged",
                    metadata: ["problem": "\(error)"]
                )
            }
            return state.context
        }
    }

    private static func read(_ certificate: String, _ key: String) throws(Fault) -> NIOSSLContext {
        func attempt<Result>(_ path: String, _ what: String, _ body: () throws -> Result) throws(Fault) -> Result {
            do { return try body() } catch {
                guard access(path, R_OK) == 0 else {
                    throw Fault(description: "\(path): \(String(cString: strerror(errno)))")
                }
                throw Fault(description: "\(path): \(what)")
            }
        }
        let chain = try attempt(certificate, "no certificate in PEM form") {
            try NIOSSLCertificate.fromPEMFile(certificate)
        }
        guard !chain.isEmpty else { throw Fault(description: "\(certificate): no certificate in PEM form") }
        let privateKey = try attempt(key, "no private key in PEM form without a password") {
            try NIOSSLPrivateKey(file: key, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(privateKey)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try attempt(key, "it is not the key of the certificate") {
            try NIOSSLContext(configuration: configuration)
        }
    }

    /// Differs between two versions of the files.
    private static func version(_ paths: String...) -> [Int] {
        paths.flatMap { path -> [Int] in
            var status = stat()
            guard stat(path, &status) == 0 else { return [0] }
            return [
                Int(truncatingIfNeeded: status.st_ino), Int(status.st_size), Int(status.st_mtim.tv_sec),
                Int(status.st_mtim.tv_nsec),
            ]
        }
    }

    private static func seconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }
}
