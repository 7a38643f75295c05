/// Whether an answer that points elsewhere is followed.
public enum RedirectPolicy: Sendable, Hashable {
    /// It is an answer like any other.
    case none
    /// It is followed, at most so many times, each time with an acquisition of its own. Credentials stay behind when the
    /// origin changes, and nothing leads from https to http.
    case follow(limit: Int = 10)
}
