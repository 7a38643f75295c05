/// Which waiting origin gets the next free connection. Within an origin, requests are served in order of
/// submission.
@nonexhaustive
public enum QueueOrder: String, Sendable, Hashable, CaseIterable {
    /// The origin with the fewest connections, so that one slow upstream does not starve the others.
    case fair
    /// The origin with the request submitted first.
    case fifo
}
