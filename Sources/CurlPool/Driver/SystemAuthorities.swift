import Glibc
import HTTPPool

/// Whom a pool trusts that was told of no authority: those of the system, or those that OpenSSL's variables of the
/// environment name. libcurl does not read these.
enum SystemAuthorities {
    /// The file with the system's own.
    case file(String)
    /// What was read of the files that the variables name.
    case pem([UInt8])

    /// `SSL_CERT_FILE` stands for the system's file, and what is in the folders of `SSL_CERT_DIR` (separated by colons) is
    /// trusted beside it. Their bytes are read once, when the pool is made: libcurl keeps the parsed authorities between
    /// connections only where they come from one file.
    ///
    /// - Throws: `ConfigurationError` where there is no certificate to be had from what they name.
    init?(environment: (String) -> String?) throws {
        let file = environment("SSL_CERT_FILE").flatMap { $0.isEmpty ? nil : $0 }
        let folders = environment("SSL_CERT_DIR")?.split(separator: ":").map(String.init) ?? []
        if let file, folders.isEmpty {
            self = .pem(try PoolTLS.PEM.file(file).read("SSL_CERT_FILE", holds: Self.certificate))
            return
        }
        guard !folders.isEmpty else {
            guard let bundle = Libcurl.certificateBundle else { return nil }
            self = .file(bundle)
            return
        }
        var pem: [UInt8] = []
        if let file {
            pem = try PoolTLS.PEM.file(file).read("SSL_CERT_FILE", holds: Self.certificate)
        } else if let bundle = Libcurl.certificateBundle {
            pem = PoolTLS.PEM.contents(of: bundle) ?? []
        }
        let found = folders.map(Self.certificates)
        guard found.contains(where: { !$0.isEmpty }) else {
            let allowed = "folders with certificates in PEM form, separated by colons"
            let value = folders.joined(separator: ":")
            throw ConfigurationError(problems: [.init(name: "SSL_CERT_DIR", value: value, allowed: allowed)])
        }
        self = .pem(found.reduce(pem) { $0 + [UInt8(ascii: "\n")] + $1 })
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
            guard let bytes = PoolTLS.PEM.contents(of: path), bytes.firstRange(of: certificate.utf8) != nil else { continue }
            if seen.insert(bytes).inserted { pem += bytes + [UInt8(ascii: "\n")] }
        }
        return pem
    }
}
