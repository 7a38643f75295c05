import Glibc
import HTTPPool

/// Whom a pool without configured authorities trusts, where OpenSSL's variables of the environment name somebody. libcurl
/// does not read these.
enum EnvironmentAuthorities {
    /// What is in the files that the variables name; `nil` where they name none.
    ///
    /// `SSL_CERT_FILE` stands for the system's file, and what is in the folders of `SSL_CERT_DIR` (separated by colons) is
    /// trusted beside it. The bytes are read once, when the pool is made: libcurl keeps parsed authorities between
    /// connections only where they come from one file.
    ///
    /// - Throws: `ConfigurationError` where there is no certificate to be had from what they name.
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
            let allowed = "folders with certificates in PEM form, separated by colons"
            let value = folders.joined(separator: ":")
            throw ConfigurationError(problems: [.init(name: "SSL_CERT_DIR", value: value, allowed: allowed)])
        }
        return found.reduce(pem) { $0 + [UInt8(ascii: "\n")] + $1 }
    }

    private static let certificate = "CERTIFICATE-----"

    /// What is in the files of a folder that hold certificates. The same one often has several names there.
    private static func certificates(in folder: String) -> [UInt8] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var seen: Set<[UInt8]> = []
        var pem: [UInt8] = []
        while let entry = readdir(stream) {
            // Sound: the name is as long as the kernel says, and ends with a zero.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { UnsafeRawPointer($0) }
            let path = "\(folder)/\(String(cString: name.assumingMemoryBound(to: CChar.self)))"
            var status = stat()
            // Anything else, such as a pipe, could hold the pool up for ever.
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            guard let bytes = PoolTLS.PEM.contents(of: path), bytes.firstRange(of: certificate.utf8) != nil else {
                continue
            }
            if seen.insert(bytes).inserted { pem += bytes + [UInt8(ascii: "\n")] }
        }
        return pem
    }
}
