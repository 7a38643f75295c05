private import CLibidn2

/// Internationalized host names (IDNA, RFC 5891).
enum InternationalName {
    /// Converts a name to ASCII: `bücher.example` to `xn--bcher-kva.example`. Returns `nil` for an invalid name.
    ///
    /// The input is UTF-8 regardless of the process's locale. Like curl, it tries IDNA2008 first and falls back to
    /// IDNA2003, which allows more characters.
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
