import CLibcurl
import CLinux
import Glibc
import HTTPPool

/// Where libcurl finds the authorities that are trusted, and no others.
///
/// libcurl keeps parsed authorities between connections only where they come from a file alone, without a CA path; a
/// bundle of a system costs 17 ms of CPU otherwise, at every TLS connection. Up to 8.16 the bundle's file is all that
/// libcurl is given. Later versions cannot be without a path: they get the system's folder, in which OpenSSL looks a
/// single authority up by its hash, or one in which there is nothing.
///
/// Sound as `Sendable`: it is written in the initialiser and never again.
final class TrustedAuthorities: Sendable {
    /// `nil`: what libcurl was built to trust.
    private let places: (file: String, folder: String?)?
    var file: String? { places?.file }
    var folder: String? { places?.folder }
    /// Holds the file, where it is in memory.
    private let descriptor: Int32?

    /// Nothing can be in a folder of this name.
    private static let emptyFolder = "/dev/null"

    /// - Parameter name: what an error calls the setting.
    /// - Throws: `ConfigurationError` where authorities cannot be read; ``PoolError`` with code `outOfResources`.
    init(
        _ trust: PoolTLS.Trust,
        name: String = PoolSetting.caFile.property,
        version: LibcurlVersion = .loaded,
        environment: (String) -> String? = TransportOptions.environment
    ) throws {
        let hasDefaultPath = version >= .caPathHasDefault
        let nowhere = hasDefaultPath ? Self.emptyFolder : nil
        let read = { (pem: PoolTLS.PEM) in try pem.read(name, holds: "CERTIFICATE-----") }
        switch trust {
        case .system:
            if let named = try EnvironmentAuthorities.read(environment) {
                let memory = try Self.file(named)
                (places, descriptor) = ((memory.path, nowhere), memory.descriptor)
                return
            }
            guard let bundle = Libcurl.certificateBundle else {
                (places, descriptor) = (nil, nil)
                return
            }
            if hasDefaultPath, let folder = Self.hashedFolder {
                // libcurl wants a file as well, so it is given the first of those that the folder has.
                let memory = try Self.file(Self.firstCertificate(in: read(.file(bundle))))
                (places, descriptor) = ((memory.path, folder), memory.descriptor)
            } else {
                (places, descriptor) = ((bundle, nowhere), nil)
            }
        case .systemAnd(let more):
            if hasDefaultPath, let folder = Self.hashedFolder {
                let memory = try Self.file(read(more))
                (places, descriptor) = ((memory.path, folder), memory.descriptor)
            } else {
                let system = try Libcurl.certificateBundle.map { try read(.file($0)) } ?? []
                let memory = try Self.file(system + [UInt8(ascii: "\n")] + read(more))
                (places, descriptor) = ((memory.path, nowhere), memory.descriptor)
            }
        case .only(let these):
            let memory = try Self.file(read(these))
            (places, descriptor) = ((memory.path, nowhere), memory.descriptor)
        }
    }

    deinit { if let descriptor { close(descriptor) } }

    func apply(to easy: UnsafeMutableRawPointer) {
        guard let (file, folder) = places else { return }
        poolscope_easy_set_string(easy, CURLOPT_CAINFO, file)
        poolscope_easy_set_string(easy, CURLOPT_CAPATH, folder)
        poolscope_easy_set_string(easy, CURLOPT_PROXY_CAINFO, file)
        poolscope_easy_set_string(easy, CURLOPT_PROXY_CAPATH, folder)
    }

    /// The folder of the system's authorities, as libcurl was built to find it, if it is one that OpenSSL can search.
    private static let hashedFolder: String? = {
        guard let path = poolscope_version()?.pointee.capath, let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let isHashed = withUnsafeBytes(of: entry.pointee.d_name) { name in
                let length = name.firstIndex(of: 0) ?? name.count
                // Eight digits of the hash and a number: `5ed36f99.0`.
                return length == 10 && name[8] == UInt8(ascii: ".") && name[9] == UInt8(ascii: "0")
            }
            if isHashed { return String(cString: path) }
        }
        return nil
    }()

    private static func firstCertificate(in pem: [UInt8]) -> [UInt8] {
        let end = Array("-----END CERTIFICATE-----".utf8)
        return pem.firstRange(of: end).map { Array(pem[..<$0.upperBound]) + [UInt8(ascii: "\n")] } ?? pem
    }

    /// A file in memory.
    private static func file(_ pem: [UInt8]) throws -> (path: String, descriptor: Int32) {
        let descriptor = poolscope_memory_file("poolscope-authorities")
        guard descriptor >= 0 else {
            throw PoolError(.outOfResources, "the system gave the pool no memory file", phase: .submit)
        }
        var written = 0
        while written < pem.count {
            let count = pem.withUnsafeBytes {
                write(descriptor, $0.baseAddress.map { $0 + written }, pem.count - written)
            }
            guard count > 0 else {
                close(descriptor)
                throw PoolError(.outOfResources, "the system gave the pool no memory file", phase: .submit)
            }
            written += count
        }
        return ("/proc/self/fd/\(descriptor)", descriptor)
    }
}
