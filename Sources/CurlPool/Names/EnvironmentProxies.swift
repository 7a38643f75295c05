import CLibcurl
import HTTPPool

/// The proxies and exceptions of the environment, as curl chooses among its variables.
struct EnvironmentProxies {
    /// A variable that is set.
    struct Variable {
        let name: String
        let value: String
    }

    /// The proxy of `http` requests; `nil` for none.
    let plain: Variable?
    /// The proxy of `https` requests; `nil` for none.
    let secure: Variable?
    /// The hosts that are reached without a proxy.
    let exceptions: [String]

    /// - Parameter environment: returns the value of a variable; `nil` if it is not set.
    init(_ environment: (String) -> String?) {
        // An empty variable counts as unset.
        func first(_ names: String...) -> Variable? {
            for name in names {
                if let value = environment(name), !value.isEmpty { return Variable(name: name, value: value) }
            }
            return nil
        }
        let all = first("all_proxy", "ALL_PROXY")
        // Not HTTP_PROXY: a CGI program gets the header field `Proxy` of a request under that name.
        plain = first("http_proxy") ?? all
        secure = first("https_proxy", "HTTPS_PROXY") ?? all
        let list = first("no_proxy", "NO_PROXY")?.value ?? ""
        exceptions = list.split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
    }

    /// The variables whose value libcurl would not accept as a proxy. Their values may hold a password anywhere, so
    /// they are not shown. An invalid entry of `no_proxy` matches nothing, as with curl and Go: that list is shared
    /// with programs that read other patterns.
    var problems: [ConfigurationError.Problem] {
        var wrong: [String] = []
        for variable in [plain, secure].compactMap(\.self) where !wrong.contains(variable.name) {
            if ProxyURL(variable.value) == nil { wrong.append(variable.name) }
        }
        return wrong.map { .init(name: $0, value: "(hidden)", allowed: ProxyURL.allowed) }
    }
}

/// The value of a variable such as `http_proxy`, read by libcurl's own parser: `proxy:3128`,
/// `http://user:password@proxy/`, `socks5h://proxy`.
struct ProxyURL {
    static let allowed =
        "[scheme://][user:password@]host[:port]; the scheme is http, https, socks4, socks4a, socks5 or socks5h"
    private static let schemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

    /// In a form that libcurl reads; contains user and password.
    let text: String
    /// Whether it is an HTTP proxy, whose name the pool resolves.
    let isHTTP: Bool
    /// The host, as those of origins are spelled.
    let host: String
    let port: UInt16

    /// `nil` if libcurl would not accept it as a proxy.
    init?(_ text: String) {
        guard let url = curl_url() else { return nil }
        defer { curl_url_cleanup(url) }
        let flags = UInt32(CURLU_NON_SUPPORT_SCHEME) | UInt32(CURLU_GUESS_SCHEME)
        guard curl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: url), Self.schemes.contains(scheme),
            let name = Self.part(CURLUPART_HOST, of: url, UInt32(CURLU_URLDECODE)), !name.isEmpty
        else { return nil }
        isHTTP = scheme == "http" || scheme == "https"
        // libcurl's own defaults (1080 for HTTP proxies dates from when it supported SOCKS only).
        port = Self.part(CURLUPART_PORT, of: url).flatMap { UInt16($0) } ?? (scheme == "https" ? 443 : 1080)
        host = isHTTP ? Origin(scheme: "http", host: name, port: port).host : name
        if !isHTTP || host == name.lowercased() {
            self.text = text
            return
        }
        guard curl_url_set(url, CURLUPART_HOST, host, 0) == CURLUE_OK, let text = Self.part(CURLUPART_URL, of: url)
        else { return nil }
        self.text = text
    }

    private static func part(_ part: CURLUPart, of url: OpaquePointer, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
