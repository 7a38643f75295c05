/// `/leases` or `/queue`, as far as the tool reads it.
struct RequestsPage: Decodable, Sendable {
    struct Item: Decodable, Sendable {
        let pool: String
        let origin: String
        let site: String
        let phase: String?
        let heldBy: String?
        let ageSeconds: Double
        let stillSeconds: Double?
        let givesUpInSeconds: Double?
    }

    let total: Int
    let requests: [Item]
}

/// `/events`, as far as the tool reads it.
struct EventsPage: Decodable, Sendable {
    struct Item: Decodable, Sendable {
        let pool: String
        let kind: String
        let origin: String?
        let text: String
        let detail: String?
        let lastAt: String
        let count: UInt64
    }

    let total: Int
    let events: [Item]
}

/// What the endpoint reported at one time.
struct TopPicture: Sendable {
    /// The page of a view, beyond the first page.
    enum Details: Sendable {
        case leases(RequestsPage)
        case queue(RequestsPage)
        case events(EventsPage)
    }

    var status: StatusPage
    /// `nil` for a view that the first page is enough for.
    var details: Details?
}
