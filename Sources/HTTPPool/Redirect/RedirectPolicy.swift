/// Whether redirects are followed.
@nonexhaustive
public enum RedirectPolicy: Sendable, Hashable {
    /// Redirects are returned to the caller.
    case none
    /// Follows at most `limit` redirects, each with an acquisition of its own; the total timeout covers all of
    /// them. When the origin changes, `Authorization`, `Cookie`, `Proxy-Authorization` and an explicit `Host` are
    /// removed. A redirect from https to http is refused.
    case follow(limit: Int = 10)
}
