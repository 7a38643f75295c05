private import CLibidn2

/// Host names beyond ASCII (RFC 5891).
enum InternationalName {
    /// The name in ASCII: `xn--bcher-kva.example` for `bücher.example`. `nil` where it is not a valid name.
    ///
    /// The text is UTF-8 whatever the process's locale is. As curl does, it reads names by the rules of today and, where they
    /// allow none, by those of 2003, which know more characters.
    static func ascii(_ name: String) -> String? {
        let flags = IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue
        return ascii(name, flags) ?? ascii(name, IDN2_TRANSITIONAL.rawValue)
    }

    private static func ascii(_ name: String, _ flags: UInt32) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard idn2_to_ascii_8z(name, &text, Int32(bitPattern: flags)) == IDN2_OK.rawValue, let text else { return nil }
        defer { idn2_free(text) }
        return String(cString: text).lowercased()
    }
}
