import HTTPPool

/// What the state machine holds of requests, slots and origins.
extension PoolStateMachine {
    struct Request {
        enum State {
            case queued
            /// It has a place on the slot's connection, which is not ready for it.
            case connecting(SlotID)
            /// It holds the slot's connection, or a stream of it.
            case inFlight(SlotID)
        }
        let number: UInt64
        /// When it was submitted, in the pool's own count.
        let moment: UInt64
        let origin: Int
        let site: CallSite
        let submitted: MonotonicTime
        let timeouts: PhaseTimeouts
        let isRepeatable: Bool
        let hasBody: Bool
        /// When a byte of it last moved, and who is to move the next.
        var progress: MonotonicTime
        var awaiting = Awaiting.answer
        /// When this acquisition began: at the submission, or at the retry.
        var acquisitionBegan: MonotonicTime
        /// When it got its slot, or the first of those that it had without waiting in between; `nil` while it waits.
        var placed: MonotonicTime?
        /// When its connection was ready.
        var acquired: MonotonicTime
        var state = State.queued
        var isInQueue = false
        /// It had a place, lost it and is in the queue again.
        var isReturned = false
        /// How often it met a dead connection.
        var retries = 0
        var isRetry: Bool { retries > 0 }
        /// The driver tries to send it on a connection that others are on.
        var isJoining = false

        init(_ new: NewRequest, origin: Int, moment: UInt64) {
            number = new.number
            self.moment = moment
            self.origin = origin
            site = new.site
            submitted = new.submitted
            timeouts = new.timeouts
            isRepeatable = new.isRepeatable
            hasBody = new.hasBody
            progress = new.submitted
            acquisitionBegan = new.submitted
            acquired = new.submitted
        }

        var acquireDeadline: MonotonicTime { submitted + timeouts.acquire }
        var totalDeadline: MonotonicTime { submitted + timeouts.total }
    }

    struct Slot {
        enum State {
            case connecting
            case active
            case idle
        }
        let origin: Int
        var state = State.connecting
        /// Those that have a place on it, the one that opens it first.
        var requests = IndexList()
        /// How many of them are in flight.
        var streams = 0
        /// How many it may have: 1, until the connection turns out to carry several at once.
        var capacity = 1
        /// Whether the connection carries several requests at once; `nil` while that is not known.
        var isMultiplexed: Bool?
        /// Whether it is among those of its origin that have room.
        var isRoomy = false
        /// Set when it takes no further request: what it closes of when the last one has left it.
        var retiring: CloseReason?
        /// Requests lost their place on it, through no fault of their own.
        var hasLostRequests = false
        /// A response came on it.
        var hasAnswered = false
        /// It refused a request before any response, and counts among the refusals of its origin.
        var hasRefused = false
        /// When bytes last came on it, where it carries several requests.
        var lastReceived: MonotonicTime
        /// What ``lastReceived`` was when a request on it timed out that had seen nothing come.
        var silentSince: MonotonicTime?
        /// When it was decided to open the connection.
        let opening: MonotonicTime
        /// When the connection became usable.
        var opened: MonotonicTime
        var idleSince: MonotonicTime
        /// For how long at most the peer lets it be used after a response, in nanoseconds.
        var idleLimit = UInt64.max
        var served: UInt32 = 0
        /// When those that share it in expectation try; `nil` when there is nothing to wait for.
        var trial: MonotonicTime?
        /// The moment of the slot's one live entry among the deadlines.
        var armed: MonotonicTime?

        init(origin: Int, opening: MonotonicTime) {
            self.origin = origin
            self.opening = opening
            opened = opening
            idleSince = opening
            lastReceived = opening
        }
    }

    struct OriginState {
        let origin: Origin

        init(origin: Origin, mayMultiplex: Bool) {
            self.origin = origin
            isMultiplexed = mayMultiplex ? nil : false
        }

        var levels = OriginLevels()
        var queue = IndexList()
        var idle = IndexList()
        /// Connections that have room for another request: first those that may turn out to carry several at once, then
        /// those that do.
        var roomy = IndexList()
        /// Whether its connections carry several requests at once; `nil` while that is not known.
        var isMultiplexed: Bool?
        /// The most requests that were ever in flight at once on one of its connections.
        var provenStreams = 1
        /// Its place among those that wait for a connection.
        var rank: Rank?
        /// Whether it waits, or did when it was last ranked.
        var mayHaveRank: Bool { !queue.isEmpty || rank != nil }
        /// When it was last given a connection, in the pool's own count.
        var lastGiven: UInt64 = 0
        var refusals = Refusals()
        /// Whether it is among those whose connections may have room for one who waits.
        var isOffering = false
        var isTouched = false

        var isUnused: Bool {
            levels.connections.total == 0 && levels.requests.total == 0 && !isOffering && refusals.inARow == 0
        }
    }

    struct SiteState {
        var levels = RequestLevels()
        var isTouched = false
    }

    struct Shutdown {
        var policy: ShutdownPolicy
        var graceEnds: MonotonicTime
    }

    /// What keeps a request from a connection.
    enum Obstacle: Equatable {
        case limit(PoolLimit)
        /// The peer refuses everything, and no other connection is tried at present.
        case refusals

        var limit: PoolLimit? { if case .limit(let limit) = self { limit } else { nil } }
    }

    /// Connections that count against the limit.
    var connectionCount: Int { slots.count }
    /// Requests that wait for a slot.
    var queuedCount: Int { queueOrder.count + returnedCount }
}
