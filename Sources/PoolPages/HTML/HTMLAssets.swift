/// The style and the script of the pages, and the policy that allows these two and nothing else.
package enum HTMLAssets {
    /// Of `HTMLStyle.text` and `HTMLScript.text`: SHA-256 in Base64.
    package static let styleHash = "PETJJ2SuGcHCgOsT/bkvgYFRtMHPoE+eMzZvdYYuU/A="
    package static let scriptHash = "2N4ftwtJfcsyZM9lXFGJ1v+oAZEFP6VAAilSjc/64x4="

    /// The value of `Content-Security-Policy`.
    package static let policy =
        "default-src 'none'; style-src 'sha256-\(styleHash)'; script-src 'sha256-\(scriptHash)'; connect-src 'self'; "
        + "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    static let styleElement = Markup(stringLiteral: "<style>\(HTMLStyle.text)</style>")
    static let scriptElement = Markup(stringLiteral: "<script>\(HTMLScript.text)</script>")
}
