import FaultServer
import HTTPTypes
import LoopbackUpstream

/// What one request of the storm is sent to.
struct StormTarget: Sendable {
    let name: String
    private let ask: @Sendable (HTTPRequest.Method, _ bodyBytes: Int) -> Question

    init(_ fault: Fault, of server: FaultServer) {
        name = "\(fault)"
        ask = { Question(fault, $0, to: server, bodyBytes: $1) }
    }

    init(_ door: FaultServer) {
        name = "door \(door.door)"
        ask = { Question(.plain, $0, to: door, bodyBytes: $1) }
    }

    init(_ server: UntrustedServer) {
        name = "untrusted"
        ask = { _, _ in Question(toTLS: server.authority) }
    }

    /// A request of some method and size.
    func question(using random: inout SplitMix64) -> Question {
        let method = Self.methods.pick(using: &random)
        let carriesBody = method == .post || method == .put
        return ask(method, carriesBody ? Self.sizes.pick(using: &random) : 0)
    }

    private static let methods = Mix<HTTPRequest.Method>([
        (weight: 60, element: .get), (weight: 25, element: .post), (weight: 10, element: .put),
        (weight: 5, element: .head),
    ])
    private static let sizes = Mix<Int>([
        (weight: 20, element: 0), (weight: 60, element: 40), (weight: 15, element: 3_000),
        (weight: 5, element: 150_000),
    ])
}
