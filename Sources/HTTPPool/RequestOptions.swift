/// What is different for one request.
public struct RequestOptions: Sendable, Hashable {
    /// The place in the service that the request comes from.
    public var site: CallSite
    /// Timeouts for this request alone. Those that are not set are the client's.
    public var timeouts = RequestTimeouts()
    /// Whether a response that points elsewhere is followed; it is not unless asked for.
    public var redirects = RedirectPolicy.none

    /// The client's own options, attributed to a call site: by default the one of the task.
    public init(site: CallSite = .current) { self.site = site }
}
