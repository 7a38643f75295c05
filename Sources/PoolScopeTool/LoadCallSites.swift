import HTTPPool

/// The call sites of a gateway.
extension CallSite {
    static let toolCalls = CallSite("tool calls")
    static let tokenExchange = CallSite("token exchange")
    static let discovery = CallSite("discovery")
    static let catalog = CallSite("catalog")
    static let peers = CallSite("peers")
}
