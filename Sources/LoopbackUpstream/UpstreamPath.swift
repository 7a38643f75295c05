/// The paths of a ``LoopbackUpstream``.
public enum UpstreamPath: String, Sendable, Hashable, CaseIterable {
    /// About 200 bytes of JSON, immediately.
    case fast = "/fast"
    /// The same after `?ms=N` milliseconds; by default after 20 to 250.
    case slow = "/slow"
    /// `?bytes=N` bytes, at most 1 GiB; by default 1 MiB.
    case large = "/large"
    /// Status 500 or 503, or `?status=N` from 400 to 599.
    case error = "/error"
    /// A response with `Connection: close`, after which the server closes the connection.
    case close = "/close"
    /// The connection is reset in the middle of the response.
    case reset = "/reset"
    /// No response; the connection stays open.
    case hang = "/hang"
    /// The body of the request, with its method in the field `x-method`.
    case echo = "/echo"
    /// The connection is closed without a response.
    case drop = "/drop"
    /// One of the other paths, chosen by weight; never ``hang``.
    case mix = "/mix"
    /// Any other path: status 404.
    case other = ""
}
