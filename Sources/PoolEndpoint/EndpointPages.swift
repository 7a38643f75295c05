import Glibc
import HTTPPool
import PoolMetrics
import PoolPages

/// The pages for people and for programs that read JSON.
struct EndpointPages {
    let registry: PoolRegistry

    /// A rendered page.
    struct Rendered {
        var contentType = "text/plain; charset=utf-8"
        var body: [UInt8]
        /// What a browser may do with the page; `nil` for what is no document.
        var policy: String?
    }

    static let index = """
        /              what is wrong, since when, and what to do
        /pools/NAME    one pool whole
        /leases        requests that hold a connection, the oldest first
        /queue         requests that wait for a connection, the oldest first
        /events        what happened, the newest first
        /config        every setting: value, source, use
        /metrics       for Prometheus
        /-/healthy     200 while the endpoint responds
        /-/ready       200 while there is a pool and nothing is shutting down
        ?format=json   the same as JSON; browsers get HTML, others text: ?format=html, ?format=text

        """

    /// The parameters that a page has, by name.
    static func parameters(of page: EndpointReading.Page) -> [String] {
        switch page {
        case .leases, .queue: ["format", "limit", "min_age", "origin", "pool", "site"]
        case .events: ["format", "limit", "origin", "pool", "since"]
        case .config: ["format"]
        default: ["ascii", "format"]
        }
    }

    /// - Parameter accept: the value of `Accept`, which decides where the query names no format.
    /// - Returns: `nil` if there is no such pool.
    func render(_ page: EndpointReading.Page, path: String, _ query: PageQuery, accept: String = "") -> Rendered? {
        let reports = registry.reports()
        let process = ProcessSituation.current(registry)
        switch query.format ?? PageFormats.preferred(accept) {
        case .json: return json(page, path, reports, process, query)
        case .html:
            return html(page, path, reports, process, query).map {
                Rendered(contentType: "text/html; charset=utf-8", body: Array($0.utf8), policy: HTMLAssets.policy)
            }
        case .text: return text(page, path, reports, process, query).map { Rendered(body: Array($0.utf8)) }
        }
    }

    private func html(
        _ page: EndpointReading.Page,
        _ path: String,
        _ reports: [PoolReport],
        _ process: ProcessSituation,
        _ query: PageQuery
    ) -> String? {
        let set = PageSet(reports, process, Diagnosis(reports, process), query)
        return switch page {
        case .leases: RequestsHTML.leases(set)
        case .queue: RequestsHTML.queue(set)
        case .events: EventsHTML.page(set)
        case .config: ConfigHTML.page(set)
        case .pools: named(path, reports).map { StatusHTML.pool($0, process) }
        default: StatusHTML.page(set)
        }
    }

    private func text(
        _ page: EndpointReading.Page,
        _ path: String,
        _ reports: [PoolReport],
        _ process: ProcessSituation,
        _ query: PageQuery
    ) -> String? {
        switch page {
        case .leases: RequestsText.leases(reports, process, query)
        case .queue: RequestsText.queue(reports, process, query)
        case .events: EventsText.page(reports, process, Diagnosis(reports, process), query)
        case .config: ConfigText.page(reports, process)
        case .pools: named(path, reports).map { PoolText.page($0, process, isPlain: query.isPlain) }
        default: StatusText.page(reports, process, Diagnosis(reports, process), isPlain: query.isPlain)
        }
    }

    private func json(
        _ page: EndpointReading.Page,
        _ path: String,
        _ reports: [PoolReport],
        _ process: ProcessSituation,
        _ query: PageQuery
    ) -> Rendered? {
        let body: [UInt8]
        switch page {
        case .leases: body = StatusJSON.requests(leases: true, reports, process, query)
        case .queue: body = StatusJSON.requests(leases: false, reports, process, query)
        case .events: body = StatusJSON.events(reports, process, query)
        case .config: body = StatusJSON.config(reports, process)
        case .pools:
            guard let report = named(path, reports) else { return nil }
            body = StatusJSON.status([report], process, Diagnosis([report], process))
        default: body = StatusJSON.status(reports, process, Diagnosis(reports, process))
        }
        return Rendered(contentType: "application/json", body: body)
    }

    private func named(_ path: String, _ reports: [PoolReport]) -> PoolReport? {
        let name = path.dropFirst("/pools/".count)
        return reports.first { $0.reading.name == name }
    }
}

extension ProcessSituation {
    /// The process now.
    static func current(_ registry: PoolRegistry) -> ProcessSituation {
        let reading = ProcessReading.current()
        let wall = Self.secondsSince1970()
        let counts = PoolCensus.counts
        let lately = registry.clientsLately()
        return ProcessSituation(
            now: MonotonicTime.now(),
            wallClock: wall,
            host: hostName(),
            pid: getpid(),
            uptime: reading.startTimeSeconds.map { wall - $0 },
            openDescriptors: reading.openDescriptors.map { Int($0) },
            maxDescriptors: reading.maxDescriptors.flatMap { Int(exactly: $0) },
            clientsCreated: counts.created,
            clientsAlive: counts.alive,
            clientsMadeLately: lately?.made,
            clientsGrownLately: lately?.grown
        )
    }

    private static func secondsSince1970() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
