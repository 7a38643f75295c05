/// Whether an answer that points elsewhere is followed.
@nonexhaustive
public enum RedirectPolicy: Sendable, Hashable {
    /// It is an answer like any other.
    case none
    /// It is followed, at most so many times, each time with an acquisition of its own; the total timeout covers all of
    /// them together. When the origin changes, `Authorization`, `Cookie`, `Proxy-Authorization` and a `Host` of the
    /// caller's own stay behind. Nothing leads from https to http.
    case follow(limit: Int = 10)
}
