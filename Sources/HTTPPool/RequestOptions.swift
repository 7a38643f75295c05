/// Overrides for one request.
public struct RequestOptions: Sendable, Hashable {
    /// The place in the service that sends the request.
    public var site: CallSite
    /// Timeouts of this request. Those not set are inherited from the client.
    public var timeouts = RequestTimeouts()
    /// Whether redirects are followed; by default they are not.
    public var redirects = RedirectPolicy.none

    /// Inherits all options from the client. The call site is the task's by default.
    public init(site: CallSite = .current) { self.site = site }
}
