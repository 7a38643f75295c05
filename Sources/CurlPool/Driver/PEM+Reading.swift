import Glibc
import HTTPPool

extension PoolTLS.PEM {
    /// Reads the bytes and checks that they look like PEM of this kind.
    ///
    /// - Parameter name: the setting's name for the error.
    /// - Throws: `ConfigurationError` with the reason: the system's error, or that the contents are not PEM of this
    ///   kind.
    func read(_ name: String, holds kind: String) throws(ConfigurationError) -> [UInt8] {
        let shown: String
        let bytes: [UInt8]
        var reason = "it is not PEM with \(kind.dropLast(5))"
        switch self {
        case .bytes(let secret): (shown, bytes) = (secret.description, secret.value)
        case .file(let path):
            let file = Self.load(path)
            (shown, bytes) = (path, file.bytes)
            if file.error != 0 { reason = "it cannot be read: \(String(cString: strerror(file.error)))" }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("-----BEGIN "), text.contains(kind) else {
            let allowed = "readable PEM with \(kind.dropLast(5)); \(reason)"
            throw ConfigurationError(problems: [.init(name: name, value: shown, allowed: allowed)])
        }
        return bytes
    }

    /// The contents of a file; `nil` if it cannot be read.
    static func contents(of path: String) -> [UInt8]? {
        let file = load(path)
        return file.error == 0 ? file.bytes : nil
    }

    /// The contents of a file as far as they could be read, and the `errno` value if reading failed; otherwise 0.
    private static func load(_ path: String) -> (bytes: [UInt8], error: Int32) {
        guard let file = fopen(path, "re") else { return ([], errno) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            errno = 0
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return (bytes, ferror(file) == 0 ? 0 : max(errno, 1)) }
            bytes += buffer[..<count]
        }
    }
}
