/// Which of several waiting origins a connection goes to when it becomes free. Within an origin it is always the request that
/// was submitted first.
@nonexhaustive
public enum QueueOrder: String, Sendable, Hashable, CaseIterable {
    /// The origin that holds the fewest connections: one slow upstream does not take the others down.
    case fair
    /// The origin whose request was submitted first.
    case fifo
}
