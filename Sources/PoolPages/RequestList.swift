package import HTTPPool
package import PoolMetrics

/// The requests of all pools that a query asks for, the oldest first: those that hold a connection, or those that wait for one.
package struct RequestList: Sendable {
    /// A request, with its pool.
    package struct Item: Sendable {
        package let pool: String
        package let request: LiveRequest
        /// Its age, in seconds.
        package let age: Double
        /// The time since a byte of it last moved, in seconds.
        package let still: Double?
        /// The time until it gives up, in seconds, while it is queued. One that is connecting has the time of its connection.
        package let givesUpIn: Double?

        /// The side that is to move the next byte; `nil` if that is not known.
        package var heldBy: LeaseSide? {
            request.phase.map { LeaseState($0, moved: request.since).heldBy }
        }
    }

    /// Requests of one origin and call site.
    package struct Group: Sendable {
        package let pool: String
        package let origin: String
        package let site: String
        package fileprivate(set) var count = 0
        package fileprivate(set) var peer = 0
        package fileprivate(set) var caller = 0
        package fileprivate(set) var oldest = 0.0
        package fileprivate(set) var youngest = Double.infinity
    }

    /// Those that are asked for and shown, the oldest first.
    package let items: [Item]
    /// Those that are asked for and were looked at, by origin and call site, the largest first.
    package let groups: [Group]
    /// How many are asked for. With a filter, how many of those that were looked at.
    package let total: Int
    /// How many there are,
    package let all: Int
    /// and how many of them were looked at: the oldest of each pool.
    package let read: Int

    /// The lines of a page that has no limit in its query.
    private static let usualLimit = 100

    package init(leases: Bool, _ reports: [PoolReport], _ query: PageQuery) {
        var found: [Item] = []
        var (all, read) = (0, 0)
        for report in reports where !report.reading.hasEnded {
            let now = report.reading.now
            let acquire = report.reading.configuration.timeouts.acquire?.inSeconds
            let levels = report.reading.levels.requests
            all += leases ? levels.inFlight : levels.queued + levels.connecting
            for request in report.requests where (request.phase != .queued && request.phase != .connecting) == leases {
                read += 1
                let age = Double(now - request.since) / 1e9
                guard age >= query.minAge,
                    query.accepts(pool: report.reading.name, origin: request.origin, site: request.site)
                else { continue }
                found.append(
                    Item(
                        pool: report.reading.name,
                        request: request,
                        age: age,
                        still: request.moved.map { Double(now - $0) / 1e9 },
                        givesUpIn: request.phase == .queued ? acquire.map { max(0, $0 - age) } : nil
                    )
                )
            }
        }
        var groups: [[String]: Group] = [:]
        for item in found {
            let key = [item.pool, item.request.origin, item.request.site]
            var group = groups[key] ?? Group(pool: key[0], origin: key[1], site: key[2])
            group.count += 1
            group.peer += item.heldBy == .peer ? 1 : 0
            group.caller += item.heldBy == .caller ? 1 : 0
            group.oldest = max(group.oldest, item.age)
            group.youngest = min(group.youngest, item.age)
            groups[key] = group
        }
        self.groups = groups.values.sorted { ($0.count, $1.origin, $1.site) > ($1.count, $0.origin, $0.site) }
        total = query.filters.isEmpty ? max(all, read) : found.count
        self.all = max(all, read)
        self.read = read
        items = Array(found.sorted { $0.age > $1.age }.prefix(query.limit ?? Self.usualLimit))
    }
}
