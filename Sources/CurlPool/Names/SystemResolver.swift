import Glibc

/// The C library's resolver: files, DNS and whatever else the system is configured to use.
enum SystemResolver {
    /// Looks up a name. Blocks for as long as the C library takes.
    static func lookUp(_ name: String) -> NameResult {
        var hints = addrinfo()
        hints.ai_family = hasIPv6 ? AF_UNSPEC : AF_INET
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &found)
        let number = errno
        guard code == 0 else { return .failure(failure(code, errno: number)) }
        defer { freeaddrinfo(found) }
        var addresses: [String] = []
        var next = found
        while let entry = next?.pointee {
            if let address = entry.ai_addr, let text = text(of: address) { addresses.append(text) }
            next = entry.ai_next
        }
        return .success(addresses)
    }

    /// The address without its port: `127.0.0.1`, `::1`.
    static func text(of address: UnsafePointer<sockaddr>) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // Sound: the family determines the type of the address, and the offsets are those of the kernel's layout.
        let bytes = UnsafeRawPointer(address)
        let start: UnsafeRawPointer
        switch Int32(address.pointee.sa_family) {
        case AF_INET: start = bytes + 4
        case AF_INET6: start = bytes + 8
        default: return nil
        }
        let family = Int32(address.pointee.sa_family)
        guard inet_ntop(family, start, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }

    /// Whether the kernel supports IPv6. If not, its addresses are not requested.
    private static var hasIPv6: Bool {
        let descriptor = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno != EAFNOSUPPORT }
        close(descriptor)
        return true
    }

    private static func failure(_ code: Int32, errno number: Int32) -> NameFailure {
        switch code {
        case EAI_NONAME, nodata: .unknown
        case EAI_MEMORY: .outOfResources(String(cString: gai_strerror(code)))
        case EAI_SYSTEM where number == EMFILE || number == ENFILE || number == ENOMEM:
            .outOfResources(String(cString: strerror(number)))
        case EAI_SYSTEM: .failed(String(cString: strerror(number)))
        default: .failed(String(cString: gai_strerror(code)))
        }
    }

    /// EAI_NODATA, a GNU extension: the name exists but has no address.
    private static let nodata: Int32 = -5
}
