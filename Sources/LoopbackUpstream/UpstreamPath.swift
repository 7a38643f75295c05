/// What ``LoopbackUpstream`` can be asked for.
public enum UpstreamPath: String, Sendable, Hashable, CaseIterable {
    /// About 200 bytes of JSON at once.
    case fast = "/fast"
    /// The same after `?ms=N` milliseconds; without it after 20 to 250.
    case slow = "/slow"
    /// `?bytes=N` bytes, without it 1 MiB; at most 1 GiB.
    case large = "/large"
    /// Status 500 or 503; `?status=N` asks for one from 400 to 599.
    case error = "/error"
    /// An answer with `Connection: close`, which the server then does.
    case close = "/close"
    /// The connection is reset in the middle of the answer.
    case reset = "/reset"
    /// No answer ever; the connection stays open.
    case hang = "/hang"
    /// The request's body, with its method in the field `x-method`.
    case echo = "/echo"
    /// The connection is closed without an answer.
    case drop = "/drop"
    /// One of the others, by weight. Never ``hang``.
    case mix = "/mix"
    /// Any other path: status 404.
    case other = ""
}
