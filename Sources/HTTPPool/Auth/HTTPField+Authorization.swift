public import HTTPTypes

/// `Authorization` fields. Each is marked as never-indexed, so that HTTP/2 does not add it to the HPACK table.
extension HTTPField {
    /// An `Authorization` field with the `Basic` scheme, user name and password encoded as UTF-8 (RFC 7617).
    ///
    /// - Throws: ``PoolError`` with code `invalidRequest` if the user name contains a colon or either contains a
    ///   control character. The error text repeats neither.
    public static func basic(user: String, password: String) throws(PoolError) -> HTTPField {
        guard !user.utf8.contains(UInt8(ascii: ":")) else {
            throw .invalidRequest("the user name for Basic authorization contains a colon")
        }
        let text = "\(user):\(password)"
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw .invalidRequest("the user name or password for Basic authorization contains a control character")
        }
        return authorization("Basic \(Base64.encode(Array(text.utf8)))")
    }

    /// An `Authorization` field with the `Bearer` scheme (RFC 6750).
    ///
    /// - Throws: ``PoolError`` with code `invalidRequest` if the token is empty or not a `token68` (RFC 9110). The
    ///   error text does not repeat it.
    public static func bearer(_ token: String) throws(PoolError) -> HTTPField {
        let padding = token.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let characters = token.utf8.dropLast(padding)
        guard !characters.isEmpty, characters.allSatisfy(mayStandInToken) else {
            throw .invalidRequest("the bearer token is empty or contains an invalid character")
        }
        return authorization("Bearer \(token)")
    }

    private static func authorization(_ value: String) -> HTTPField {
        var field = HTTPField(name: .authorization, value: value)
        field.indexingStrategy = .disallow
        return field
    }

    private static func mayStandInToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
