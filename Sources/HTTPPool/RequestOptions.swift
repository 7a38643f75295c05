/// Overrides for one request.
public struct RequestOptions: Sendable, Hashable {
    /// The place in the service that sends the request.
    public var site: CallSite
    /// Timeouts of this request. Those not set are inherited from the client.
    public var timeouts = RequestTimeouts()
    /// Whether redirects are followed; by default they are not.
    public var redirects = RedirectPolicy.none
    /// How often the request was sent before. A client that repeats requests sets it, and spans show it.
    public var resendCount = 0
    /// Whether the request has a span already.
    package var isTraced = false

    /// Inherits all options from the client. The call site is the task's by default.
    public init(site: CallSite = .current) { self.site = site }
}
