import HTTPPool
package import PoolMetrics

/// The page `/events` for terminals: the last notable events of all pools, newest first.
package enum EventsText {
    package static func page(
        _ reports: [PoolReport],
        _ process: ProcessSituation,
        _ diagnosis: Diagnosis,
        _ query: PageQuery
    ) -> String {
        var page = TextPage()
        let found = EventList(reports, process, query)
        page.add("EVENTS: \(Phrase.count(found.total, "event")) kept, newest first")
        page.add(wrapping: "now: \(diagnosis.first.headline)", first: "  ", rest: "       ")
        if !query.filters.isEmpty { page.add("  only those that fit \(query.filterWords)") }
        page.add()
        page.add("        ago  time (UTC)  event")
        for item in found.items {
            let ago = Phrase.duration(Double(process.now - item.event.last) / 1e9).right(11)
            let time = process.clock(item.event.last).dropLast(4)
            page.add("\(ago)  \(String(time).left(max(11, time.count))) \(item.event.kind.title)\(item.times(process))")
            let indent = String(repeating: " ", count: 25)
            if let origin = item.event.origin { page.add(indent + origin.printable) }
            if let detail = item.detail { page.add(wrapping: detail, first: indent, rest: indent) }
            if reports.count > 1 { page.add(indent + "pool \(item.pool.printable)") }
        }
        if found.items.isEmpty { page.add("  none") }
        page.add()
        page.add("narrow with  ?since=10min  ?origin=  ?pool=  ?limit=")
        PageFooter.write(["/", "?format=json"], process, to: &page)
        return page.text
    }
}

/// The notable events that a query asks for, newest first.
package struct EventList: Sendable {
    /// An event, with its pool.
    package struct Item: Sendable {
        package let pool: String
        package let event: NotableEvent

        /// The error's words, or the numbers of the event.
        var detail: String? {
            switch event.kind {
            case .saturationBegan(let limit, let value):
                "\(limit.rawValue)\(value.map { " (\($0))" } ?? "")"
            case .saturationEnded(let limit, let lasted, let waited):
                "\(limit.rawValue), after \(Phrase.duration(Double(lasted) / 1e9)); \(Phrase.count(waited, "request")) had to wait"
            case .conditionEnded(_, let lasted): "after \(Phrase.duration(Double(lasted) / 1e9))"
            case .overdueLease(let lease):
                "call site \(Phrase.site(lease.site)), \(lease.phase.rawValue), \(Phrase.duration(Double(lease.age) / 1e9)) old, no byte for \(Phrase.duration(Double(lease.still) / 1e9))"
            default: event.words
            }
        }

        func times(_ process: ProcessSituation) -> String {
            event.count > 1
                ? ", \(Phrase.count(event.count)) times since \(process.clock(event.first).dropLast(4))" : ""
        }
    }

    package let items: [Item]
    /// How many are kept, whether asked for or not.
    package let total: Int

    package init(_ reports: [PoolReport], _ process: ProcessSituation, _ query: PageQuery) {
        var found: [Item] = []
        var total = 0
        for report in reports {
            total += report.events.count
            for event in report.events {
                let age = Double(process.now - event.last) / 1e9
                guard query.since.map({ age <= $0 }) ?? true,
                    query.accepts(pool: report.reading.name, origin: event.origin ?? "", site: "")
                else { continue }
                found.append(Item(pool: report.reading.name, event: event))
            }
        }
        self.total = total
        // Events of one time stay in their order.
        items = Array(
            found.enumerated().sorted {
                $0.element.event.last == $1.element.event.last
                    ? $0.offset > $1.offset : $0.element.event.last > $1.element.event.last
            }.map(\.element).prefix(query.limit ?? 100)
        )
    }
}

extension NotableEvent.Kind {
    /// The event in a few words.
    var title: String {
        switch self {
        case .connectFailed(let reason): "connection failed: \(reason.rawValue)"
        case .connectionClosed(let reason): "connection closed: \(reason.rawValue)"
        case .saturationBegan: "saturated"
        case .saturationEnded: "no longer saturated"
        case .conditionBegan(let condition): (VerdictKind(condition)?.word ?? condition.rawValue).lowercased()
        case .conditionEnded(let condition, _):
            "over: \((VerdictKind(condition)?.word ?? condition.rawValue).lowercased())"
        case .queueFull: "queue full, request refused"
        case .overdueLease: "overdue lease"
        case .reloaded: "settings reloaded"
        case .reloadFailed: "reload of the settings failed"
        case .limitsChanged: "limits changed"
        case .shutdown: "shutdown began"
        }
    }

    /// The name in JSON.
    package var name: String {
        switch self {
        case .connectFailed: "connect_failed"
        case .connectionClosed: "connection_closed"
        case .saturationBegan: "saturation_began"
        case .saturationEnded: "saturation_ended"
        case .conditionBegan(let condition): "\(condition.rawValue)_began"
        case .conditionEnded(let condition, _): "\(condition.rawValue)_ended"
        case .queueFull: "queue_full"
        case .overdueLease: "overdue_lease"
        case .reloaded: "reloaded"
        case .reloadFailed: "reload_failed"
        case .limitsChanged: "limits_changed"
        case .shutdown: "shutdown"
        }
    }
}
