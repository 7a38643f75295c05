extension Origin {
    /// Whether TLS is spoken with it: the scheme is `https` or `https+unix`.
    ///
    /// The lengths come first: to compare two strings that differ costs more than all the rest of it.
    @inlinable package var isSecure: Bool {
        switch scheme.utf8.count {
        case 5: scheme == "https"
        case 10: scheme == "https+unix"
        default: false
        }
    }
}
