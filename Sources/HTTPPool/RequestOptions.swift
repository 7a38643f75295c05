/// What is different for one request.
public struct RequestOptions: Sendable, Hashable {
    /// The place in the service that the request comes from.
    public var site: CallSite = .unattributed
    /// Timeouts for this request alone, in place of the client's.
    public var timeouts: PoolTimeouts?
    /// Whether an answer that points elsewhere is followed; it is not unless asked for.
    public var redirects = RedirectPolicy.none

    /// The client's own options.
    public init() {}

    /// The client's own options, attributed to a call site.
    public init(site: CallSite) { self.site = site }
}
