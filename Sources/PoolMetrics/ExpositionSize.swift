/// How much room an exposition needs, so that it is seldom written twice and no memory is copied.
struct ExpositionSize {
    private var lines = 0
    /// Without the labels of the subject.
    private var bytes = 0

    private mutating func add(_ lines: Int, _ bytes: Int) {
        self.lines += lines
        self.bytes += bytes
    }

    /// More than most values take.
    private static let value = 14

    /// What each subject of a kind takes; computed once.
    private static let parts: (pool: ExpositionSize, origin: ExpositionSize, site: ExpositionSize) = {
        var (pool, origin, site) = (ExpositionSize(), ExpositionSize(), ExpositionSize())
        for family in Family.all {
            let line = family.writtenName.count + value
            switch family.samples {
            // The room for the process includes them.
            case .endpoint: break
            case .process, .info: pool.add(2, 4 * line)
            case .pool(let samples): pool.add(samples.count, samples.reduce(0) { $0 + line + $1.ending.count })
            case .origin(let samples): origin.add(samples.count, samples.reduce(0) { $0 + line + $1.ending.count })
            case .site(let samples): site.add(samples.count, samples.reduce(0) { $0 + line + $1.ending.count })
            case .histogram(let samples):
                pool.add(24 * samples.count, samples.reduce(0) { $0 + 24 * (line + 20 + $1.labels.count) })
            }
        }
        return (pool, origin, site)
    }()

    /// The headers of all families, with some room for what belongs to the process.
    private static let headers = Family.all.reduce(8192) { $0 + $1.header(as: .openMetrics).count }

    /// The size of an exposition of all families, in bytes. Not a limit: escaped labels and long values take more.
    static func estimate(_ scrape: Scrape) -> Int {
        scrape.pools.reduce(headers) { size, pool in
            let name = pool.name.utf8.count + 10
            let origins = pool.origins.reduce(0) { size, origin in
                size + parts.origin.bytes + parts.origin.lines * (name + origin.label.utf8.count + 10)
            }
            let sites = pool.sites.reduce(0) { size, site in
                size + parts.site.bytes + parts.site.lines * (name + site.label.utf8.count + 10)
            }
            let exemplars = pool.durations.exemplarCount * Exemplar.estimatedSize
            return size + parts.pool.bytes + parts.pool.lines * name + origins + sites + exemplars
        }
    }
}
