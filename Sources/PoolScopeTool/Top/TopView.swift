/// The tables of `poolscope top`.
enum TopView: Int, Sendable, Hashable, CaseIterable {
    case upstreams, sites, leases, queue, events

    var title: String {
        switch self {
        case .upstreams: "Upstreams"
        case .sites: "Sites"
        case .leases: "Leases"
        case .queue: "Queue"
        case .events: "Events"
        }
    }

    /// The page that it needs beyond the first page.
    var path: String? {
        switch self {
        case .upstreams, .sites: nil
        case .leases: "/leases?limit=500"
        case .queue: "/queue?limit=500"
        case .events: "/events?limit=500"
        }
    }

    func moved(by step: Int) -> TopView {
        let all = Self.allCases
        return all[(rawValue + step + all.count) % all.count]
    }
}
