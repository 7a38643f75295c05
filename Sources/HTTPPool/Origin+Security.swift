extension Origin {
    /// Whether connections use TLS: the scheme is `https` or `https+unix`.
    ///
    /// Compares lengths first, because comparing two different strings is the most expensive part.
    @inlinable package var isSecure: Bool {
        switch scheme.utf8.count {
        case 5: scheme == "https"
        case 10: scheme == "https+unix"
        default: false
        }
    }
}
