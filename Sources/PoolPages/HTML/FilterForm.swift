import HTTPPool
import PoolMetrics

/// A form that narrows a list. It needs no script: it is a GET with the query of the page.
struct FilterForm {
    enum Field {
        case site([String])
        case origin, pool, minAge, limit, since
    }

    let set: PageSet

    init(_ set: PageSet) { self.set = set }

    func markup(_ fields: [Field]) -> Markup {
        let query = set.query
        let inputs: [Markup?] = fields.map { field in
            switch field {
            case .site(let names): text("site", "Call site", query.site, names)
            case .origin:
                text("origin", "Upstream", query.origin, set.reports.flatMap { $0.reading.origins.map(\.label) })
            case .pool: set.reports.count > 1 ? text("pool", "Pool", query.pool, set.reports.map(\.reading.name)) : nil
            case .minAge: short("min_age", "At least, s", query.minAge > 0 ? Self.number(query.minAge) : "")
            case .since: short("since", "Last, s", query.since.map(Self.number) ?? "")
            case .limit: short("limit", "Lines", query.limit.map { String($0) } ?? "")
            }
        }
        // Where the format was asked for, it stays.
        let format: Markup? = query.format.map { "<input type=\"hidden\" name=\"format\" value=\"\($0.rawValue)\"/>" }
        return "<form method=\"get\">\(inputs.compactMap(\.self))\(format)<button>Show</button></form>"
    }

    private func text(_ name: String, _ label: String, _ value: String?, _ names: [String]) -> Markup {
        let options: [Markup] = Set(names).sorted().map { "<option value=\"\($0)\"></option>" }
        return """
            <label>\(label)<input name="\(name)" value="\(value ?? "")" placeholder="all (\(options.count))" list="\(name)-names" autocomplete="off"/></label>\
            <datalist id="\(name)-names">\(options)</datalist>
            """
    }

    private func short(_ name: String, _ label: String, _ value: String) -> Markup {
        "<label>\(label)<input class=\"s\" name=\"\(name)\" value=\"\(value)\" autocomplete=\"off\"/></label>"
    }

    private static func number(_ value: Double) -> String {
        Int(exactly: value).map { String($0) } ?? String(value)
    }
}
