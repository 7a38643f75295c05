import CLibcurl
import Glibc
import HTTPPool

/// The file and the folder from which libcurl reads the trusted authorities, and no others.
///
/// libcurl caches parsed authorities across connections only if they come from a file alone, without a CA path;
/// otherwise a system's bundle costs 17 ms of CPU time per TLS connection. Up to 8.16, libcurl is given only the
/// bundle's file. Later versions always have a path: they get the system's folder, in which OpenSSL looks up single
/// authorities by hash, and a file with those that only the bundle has; or a path under which nothing can be found.
final class TrustedAuthorities: Sendable {
    /// `nil` for libcurl's built-in defaults.
    private let places: (file: String, folder: String?)?
    var file: String? { places?.file }
    var folder: String? { places?.folder }
    /// What `places` names, if it is in memory.
    private let memory: MemoryFile?

    /// Not a folder, so that nothing can be found in it.
    private static let emptyFolder = "/dev/null"

    /// - Parameter name: the setting's name for errors.
    /// - Throws: `ConfigurationError` if authorities cannot be read; ``PoolError`` with code `outOfResources`.
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
                let authorities = try Self.file(named)
                (places, memory) = ((authorities.path, nowhere), authorities)
                return
            }
            guard let bundle = Libcurl.certificateBundle else {
                (places, memory) = (nil, nil)
                return
            }
            if hasDefaultPath, let folder = Self.hashedFolder {
                let certificates = Self.certificates(in: try read(.file(bundle)))
                let missing = Self.missing(from: folder, of: certificates)
                // libcurl requires a file too. If the folder has all authorities, the file repeats one of them.
                let authorities = try Self.file(Self.pem(missing.isEmpty ? Array(certificates.prefix(1)) : missing))
                (places, memory) = ((authorities.path, folder), authorities)
            } else {
                (places, memory) = ((bundle, nowhere), nil)
            }
        case .systemAnd(let more):
            if hasDefaultPath, let folder = Self.hashedFolder {
                let bundle = try Libcurl.certificateBundle.map { try read(.file($0)) } ?? []
                let missing = Self.missing(from: folder, of: Self.certificates(in: bundle))
                let authorities = try Self.file(Self.pem(missing) + read(more))
                (places, memory) = ((authorities.path, folder), authorities)
            } else {
                let system = try Libcurl.certificateBundle.map { try read(.file($0)) } ?? []
                let authorities = try Self.file(system + [UInt8(ascii: "\n")] + read(more))
                (places, memory) = ((authorities.path, nowhere), authorities)
            }
        case .only(let these):
            let authorities = try Self.file(read(these))
            (places, memory) = ((authorities.path, nowhere), authorities)
        }
    }

    /// Closes the in-memory file. No connection may be opened with these authorities afterwards.
    func close() { memory?.close() }

    func apply(to easy: UnsafeMutableRawPointer) {
        guard let (file, folder) = places else { return }
        poolscope_easy_set_string(easy, CURLOPT_CAINFO, file)
        poolscope_easy_set_string(easy, CURLOPT_CAPATH, folder)
        poolscope_easy_set_string(easy, CURLOPT_PROXY_CAINFO, file)
        poolscope_easy_set_string(easy, CURLOPT_PROXY_CAPATH, folder)
    }

    /// The system's folder of authorities, as built into libcurl, if OpenSSL can search it.
    private static let hashedFolder: String? = {
        guard let path = poolscope_version()?.pointee.capath else { return nil }
        let folder = String(cString: path)
        return hashedFiles(in: folder).isEmpty ? nil : folder
    }()

    /// The paths of the files that OpenSSL looks up by the hash of a name, such as `5ed36f99.0`.
    private static func hashedFiles(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var paths: [String] = []
        while let entry = readdir(stream) {
            // Sound: the kernel ends the name with a zero, within the entry.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { UnsafeRawPointer($0) }
            let text = String(cString: name.assumingMemoryBound(to: CChar.self))
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].count == 8, parts[0].allSatisfy(\.isHexDigit), Int(parts[1]) != nil else {
                continue
            }
            paths.append("\(folder)/\(text)")
        }
        return paths
    }

    /// The certificates that OpenSSL does not find in the folder. A bundle may have been extended by hand.
    private static func missing(from folder: String, of certificates: [[UInt8]]) -> [[UInt8]] {
        let present = Set(hashedFiles(in: folder).flatMap { Self.certificates(in: PoolTLS.PEM.contents(of: $0) ?? []) })
        return certificates.filter { !present.contains($0) }
    }

    private static let begin = Array("-----BEGIN CERTIFICATE-----".utf8)
    private static let end = Array("-----END CERTIFICATE-----".utf8)

    /// The lines between the BEGIN and END markers of each certificate.
    private static func certificates(in pem: [UInt8]) -> [[UInt8]] {
        var certificates: [[UInt8]] = []
        var lines: [UInt8]?
        for line in pem.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            if line.elementsEqual(begin) {
                lines = []
            } else if line.elementsEqual(end) {
                if let lines { certificates.append(lines) }
                lines = nil
            } else {
                lines?.append(contentsOf: line + [UInt8(ascii: "\n")])
            }
        }
        return certificates
    }

    private static func pem(_ certificates: [[UInt8]]) -> [UInt8] {
        let lineEnd = [UInt8(ascii: "\n")]
        return certificates.flatMap { begin + lineEnd + $0 + end + lineEnd }
    }

    private static func file(_ pem: [UInt8]) throws(PoolError) -> MemoryFile {
        try MemoryFile("poolscope-authorities", pem)
    }
}
