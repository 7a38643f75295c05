import HTTPPool
import PoolMetrics

/// The tables of the pages `/leases` and `/queue`.
enum RequestTables {
    static func leases(_ list: RequestList) -> PageTable {
        groups(list, [.init("leases", 7), .init("oldest", 10), .init("upstream", 9), .init("our code", 9)]) {
            [Phrase.count($0.count), Phrase.duration($0.oldest), Phrase.count($0.peer), Phrase.count($0.caller)]
        }
    }

    static func queue(_ list: RequestList) -> PageTable {
        groups(list, [.init("waiting", 8), .init("oldest", 10), .init("youngest", 10)]) {
            [Phrase.count($0.count), Phrase.duration($0.oldest), Phrase.duration($0.youngest)]
        }
    }

    static let mostGroups = 40

    private static func groups(
        _ list: RequestList,
        _ columns: [PageTable.Column],
        _ cells: (RequestList.Group) -> [String]
    ) -> PageTable {
        let width = TextPage.width - columns.reduce(0) { $0 + $1.width + 1 }
        var table = PageTable("by upstream and call site", width: width, columns)
        var last: String?
        for group in list.groups.prefix(mostGroups) {
            if last != group.origin { table.add(group: .origin(group.origin)) }
            last = group.origin
            table.add(.site(group.site), cells(group).map { .init($0) }, isInGroup: true)
        }
        return table
    }
}

extension RequestList {
    /// The age of the oldest one, in seconds.
    var oldest: Double? { groups.map(\.oldest).max() }

    var leaseTitle: String { "\(Phrase.count(total)) \(total == 1 ? "request holds" : "requests hold") a connection" }
    var queueTitle: String {
        "\(Phrase.count(total)) \(total == 1 ? "request waits" : "requests wait") for a connection"
    }

    /// That the table by call site has the oldest requests only; `nil` if it has all.
    var partly: String? { read < all ? "the table counts the \(Phrase.count(read)) oldest of them" : nil }

    /// That the query leaves requests out, so that an empty page is not read as an idle pool; `nil` without a filter.
    func filtered(by query: PageQuery) -> String? {
        query.filters.isEmpty ? nil : "only those that fit \(query.filterWords)"
    }

    /// Whom the leases wait for.
    func waiting(_ reports: [PoolReport]) -> String {
        let caller = groups.reduce(0) { $0 + $1.caller }
        let peer = groups.reduce(0) { $0 + $1.peer }
        let overdue = reports.compactMap(\.reading.overdueLeases).reduce(0) { $0 + $1.total }
        let are = overdue == 0 ? "none is" : "\(Phrase.count(overdue)) \(overdue == 1 ? "is" : "are")"
        return
            "Waiting for the upstream: \(Phrase.count(peer)), for our own code: \(Phrase.count(caller)); \(are) overdue."
    }
}

extension RequestList.Item {
    /// When it gives up.
    var givesUp: String { request.phase == .queued ? givesUpIn.map(Phrase.duration) ?? "never" : "-" }

    /// Who is to move the next byte.
    var holder: String {
        switch heldBy {
        case .peer: "upstream"
        case .caller: "our code"
        case nil: "-"
        @unknown default: "-"
        }
    }

    /// What the lease waits for.
    var waitsFor: String {
        switch request.phase {
        case .sending: "request sent"
        case .waitingForHead: "response"
        case .receiving: "rest of body"
        case .heldByCaller: "read or write"
        default: request.phase?.rawValue ?? "-"
        }
    }
}
