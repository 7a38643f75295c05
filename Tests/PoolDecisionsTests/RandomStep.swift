import HTTPPool
import LoopbackUpstream

@testable import PoolDecisions

/// One thing that happens to a pool, as a value: a sequence of them can be replayed, and made shorter.
///
/// A number picks one of those that are there when the step is taken; without one, nothing happens. So every
/// sequence makes sense, whatever is left out of it. Requests have tags, and connections those of the requests that opened
/// them: a number picks the same one of two whatever else is there, so what is left out changes little of the rest.
enum RandomStep: Equatable {
    case submit(tag: Int, host: Int, acquire: Duration?, total: Duration?, hasBody: Bool, isRepeatable: Bool)
    /// A connection that is being opened becomes usable.
    case ready(Int)
    case connectFails(Int, ConnectFailure)
    /// The first response on a connection begins, and says which version it speaks.
    case respond(Int)
    case complete(Int, keepAlive: Bool)
    /// A request breaks; on HTTP/2 it may break alone, otherwise all that are on the connection break with it.
    case breaks(Int, alone: Bool)
    case stale(Int, sent: Bool)
    /// The peer takes no further stream on a connection, and says nothing.
    case goAway(Int)
    case cancel(Int)
    case bodyFails(Int)
    case idleSpoke(Int)
    case progress(Int, Awaiting)
    case awaits(Int, Awaiting)
    /// libcurl says which of those that try to join a connection have a stream.
    case settleJoins
    /// Every lease ends, one after the other, and nobody comes.
    case drain
    case pass(Duration)
    case reconfigure(LimitChange)
    case shutDown(ShutdownPolicy.Queued, grace: Duration)
}

/// Another value of one limit.
enum LimitChange: Equatable {
    case connections(Int)
    case connectionsPerOrigin(Int?)
    case idleConnections(Int)
    case queuedRequests(Int?)
    case keepaliveExpiry(Duration?)
    case connectionLifetime(Duration?)
    case queueOrder(QueueOrder)

    func apply(to limits: inout PoolLimits) {
        switch self {
        case .connections(let count):
            limits.maxConnections = count
            limits.maxIdleConnections = min(limits.maxIdleConnections, count)
        case .connectionsPerOrigin(let count): limits.maxConnectionsPerOrigin = count
        case .idleConnections(let count): limits.maxIdleConnections = min(count, limits.maxConnections)
        case .queuedRequests(let count): limits.maxQueuedRequests = count
        case .keepaliveExpiry(let duration): limits.keepaliveExpiry = duration
        case .queueOrder(let order): limits.queueOrder = order
        case .connectionLifetime(let duration): limits.maxConnectionLifetime = duration
        }
    }

    static func random(using random: inout SplitMix64) -> LimitChange {
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1: .connections(.random(in: 1...12, using: &random))
        case 2, 3: .connectionsPerOrigin(Bool.random(using: &random) ? .random(in: 1...6, using: &random) : nil)
        case 4: .idleConnections(.random(in: 0...12, using: &random))
        case 5: .queuedRequests(Bool.random(using: &random) ? .random(in: 0...30, using: &random) : nil)
        case 6: .keepaliveExpiry([.zero, .milliseconds(50), .seconds(5), nil].randomElement(using: &random) ?? nil)
        case 7: .queueOrder(Int.random(in: 0..<4, using: &random) == 0 ? .fifo : .fair)
        default: .connectionLifetime(Bool.random(using: &random) ? .milliseconds(500) : nil)
        }
    }
}

/// A pool and its peers, and all that happens to them: everything that a seed decides.
struct RandomSequence {
    /// What the connections to a host turn out to carry.
    enum Host: Equatable {
        case http1
        /// HTTP/2, with as many streams at once.
        case http2(streams: Int)
        /// Some connections meet a server that speaks HTTP/1.1, some one that speaks HTTP/2.
        case mixed(streams: Int)
    }

    let seed: UInt64
    let limits: PoolLimits
    /// Whether the pool would speak HTTP/2.
    let http2: Bool
    let hosts: [Host]
    var steps: [RandomStep] = []

    init(seed: UInt64, steps count: Int) {
        self.seed = seed
        var random = SplitMix64(seed: seed)
        var limits = PoolLimits()
        LimitChange.connections(.random(in: 1...12, using: &random)).apply(to: &limits)
        for _ in 0..<6 { LimitChange.random(using: &random).apply(to: &limits) }
        self.limits = limits
        http2 = Int.random(in: 0..<4, using: &random) > 0
        hosts = (0..<5).map { _ in
            let streams = [1, 2, 3, 8, 200].randomElement(using: &random) ?? 1
            return [.http1, .http2(streams: streams), .http2(streams: streams), .mixed(streams: streams)]
                .randomElement(using: &random) ?? .http1
        }
        // Some pools are reconfigured all the time and some never; some sequences end in the midst of a shutdown.
        let changes = [0, 1, 5].randomElement(using: &random) ?? 0
        for _ in 0..<count { steps.append(.random(changes: changes, using: &random)) }
        let policy: ShutdownPolicy.Queued = Bool.random(using: &random) ? .fail : .finish
        steps.append(.shutDown(policy, grace: .milliseconds(Int.random(in: 0...400, using: &random))))
        for _ in 0..<30 { steps.append(.random(changes: changes, using: &random)) }
    }
}

extension RandomStep {
    static func random(changes: Int, using random: inout SplitMix64) -> RandomStep {
        let pick = Int.random(in: 0..<1_000, using: &random)
        if pick == 0 { return .drain }
        func oneOf<T>(_ choices: T...) -> T { choices[pick % choices.count] }
        switch Int.random(in: 0..<(100 + changes), using: &random) {
        case 0..<27:
            return .submit(
                tag: Int.random(in: 0..<1_000_000, using: &random),
                host: Int.random(in: 0..<8, using: &random),
                acquire: [.zero, .milliseconds(30), .seconds(2), nil].randomElement(using: &random) ?? nil,
                total: Int.random(in: 0..<8, using: &random) == 0 ? .milliseconds(80) : nil,
                hasBody: pick % 2 == 0,
                isRepeatable: pick % 3 > 0
            )
        case 27..<37: return .ready(pick)
        case 37..<39: return .connectFails(pick, ConnectFailure.allCases.randomElement(using: &random) ?? .other)
        case 39..<44: return .respond(pick)
        case 44..<58: return .complete(pick, keepAlive: pick % 8 > 0)
        case 58..<60: return .breaks(pick, alone: pick % 2 == 0)
        case 60..<62: return .stale(pick, sent: pick % 2 == 0)
        case 62: return .goAway(pick)
        case 63..<68: return .cancel(pick)
        case 68: return .bodyFails(pick)
        case 69..<71: return .idleSpoke(pick)
        case 71..<73: return .progress(pick, oneOf(.response, .peerTakes, .caller))
        case 73..<75: return .awaits(pick, oneOf(.response, .peerTakes, .caller))
        case 75..<90: return .settleJoins
        case 90..<100: return .pass(.milliseconds(pick % 40))
        default: return .reconfigure(.random(using: &random))
        }
    }
}
