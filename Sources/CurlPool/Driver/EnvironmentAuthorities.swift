import Glibc
import HTTPPool

/// The authorities named by OpenSSL's environment variables, for pools without configured authorities. libcurl does
/// not read these variables.
enum EnvironmentAuthorities {
    /// The PEM contents of the files that the variables name; `nil` if neither is set.
    ///
    /// `SSL_CERT_FILE` replaces the system's file, and the contents of the folders in `SSL_CERT_DIR` (separated by
    /// colons) are trusted in addition. The files are read once, when the pool is created: libcurl caches parsed
    /// authorities across connections only if they come from a single file.
    ///
    /// - Throws: `ConfigurationError` if the named file or folders hold no readable certificate.
    static func read(_ environment: (String) -> String?) throws -> [UInt8]? {
        let file = environment("SSL_CERT_FILE").flatMap { $0.isEmpty ? nil : $0 }
        let folders = environment("SSL_CERT_DIR")?.split(separator: ":").map(String.init) ?? []
        if file == nil, folders.isEmpty { return nil }
        var pem: [UInt8] = []
        if let file {
            pem = try PoolTLS.PEM.file(file).read("SSL_CERT_FILE", holds: certificate)
        } else if let bundle = Libcurl.certificateBundle {
            pem = PoolTLS.PEM.contents(of: bundle) ?? []
        }
        if folders.isEmpty { return pem }
        let found = folders.map(certificates)
        guard found.contains(where: { !$0.isEmpty }) else {
            let allowed = "folders with PEM certificates, separated by colons"
            let value = folders.joined(separator: ":")
            throw ConfigurationError(problems: [.init(name: "SSL_CERT_DIR", value: value, allowed: allowed)])
        }
        return found.reduce(pem) { $0 + [UInt8(ascii: "\n")] + $1 }
    }

    private static let certificate = "CERTIFICATE-----"

    /// The contents of all files in a folder that hold certificates, without duplicates: the same file often has
    /// several names there.
    private static func certificates(in folder: String) -> [UInt8] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var seen: Set<[UInt8]> = []
        var pem: [UInt8] = []
        while let entry = readdir(stream) {
            // Sound: the kernel ends the name with a zero, within the entry.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { UnsafeRawPointer($0) }
            let path = "\(folder)/\(String(cString: name.assumingMemoryBound(to: CChar.self)))"
            var status = stat()
            // Reading anything else, such as a pipe, could block the pool forever.
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            guard let bytes = PoolTLS.PEM.contents(of: path), bytes.firstRange(of: certificate.utf8) != nil else {
                continue
            }
            if seen.insert(bytes).inserted { pem += bytes + [UInt8(ascii: "\n")] }
        }
        return pem
    }
}
