import HTTPPool
import TestSupport
import Testing

@testable import PoolMetrics

@Suite("Labels that try to break the exposition")
struct AdversarialLabelTests {
    /// What means something to a parser, ends a line somewhere, or is rare.
    private static let pieces = [
        "\\", "\"", "\n", "\r", "\r\n", "\\n", "\\\\", "\\\"", "\t", "\u{0}", "\u{1}", "\u{8}", "\u{B}", "\u{C}",
        "\u{1B}[2J", "\u{7F}", "\u{85}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFF}", "\u{10FFFF}", "\u{301}",
        "e\u{301}",
        "\u{E9}", "\u{1F600}", "\u{202E}", "{", "}", "} 1", ",", "=", " ", "#", "\n# EOF\n", "# TYPE a gauge", "NaN",
        "le", "a", "0",
        "%0A", "\u{1F468}\u{200D}\u{1F469}",
    ]

    /// Names made of those pieces; the same for the same seed.
    private static func names(
        _ count: Int,
        seed: UInt64,
        where isAllowed: (String) -> Bool = { _ in true }
    ) -> [String] {
        var random = SplitMix(state: seed)
        var names: Set<String> = []
        while names.count < count {
            let length = Int.random(in: 0...8, using: &random)
            let name = (0..<length).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            if isAllowed(name) { names.insert(name) }
        }
        return names.sorted()
    }

    /// As exact as bytes: strings that differ only in normalization are equal in Swift.
    private static func exact(_ names: some Sequence<String>) -> Set<[UInt8]> { Set(names.map { Array($0.utf8) }) }

    @Test("Every pool name, call site and host comes back exactly, in both formats, from each parser", arguments: 1...4)
    func roundTrip(seed: Int) async throws {
        let registry = PoolRegistry()
        let poolNames = Self.names(2, seed: UInt64(seed)) { (try? PoolNameError.check($0)) != nil }
        let siteNames = Self.names(16, seed: UInt64(seed) << 32)
        let hosts = Self.names(12, seed: UInt64(seed) << 40)
        var turn = PoolTurn()
        for (index, host) in hosts.enumerated() { turn = turn.introducing(Int32(index), host) }
        for name in siteNames { turn = turn.levels(CallSite(name), queued: 1) }
        let fakes = poolNames.map { _ in FakePool() }
        let pools = try zip(fakes, poolNames).map { try InstrumentedClient($0, name: $1, registry: registry) }
        for fake in fakes { fake.report(turn) }
        let scrape = Scrape(pools: pools.map { $0.reading() }, process: nil, poolsCreated: 1, poolsAlive: 1)
        // A call site's name is one line.
        let sites = Self.exact(siteNames.map { CallSite($0).name })
        let origins = Self.exact(hosts.map { Origin(scheme: "http", host: $0, port: 80).description })

        for format in ExpositionReader.Format.allCases {
            let bytes = Exposition.render(scrape, as: format == .text ? .text : .openMetrics)
            let page = try ExpositionReader(bytes, as: format)
            func found(_ label: String, _ family: String) -> Set<[UInt8]> {
                Self.exact(page.all(family).compactMap { $0.labels[label] })
            }
            #expect(found("pool", "http_client_pool_max_connections") == Self.exact(poolNames))
            #expect(found("site", "http_client_pool_site_requests").isSuperset(of: sites))
            #expect(found("origin", "http_client_pool_connections").isSuperset(of: origins))
            if format == .text {
                let verdict = try await runProgram("promtool", ["check", "metrics"], input: bytes)
                #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
            }
            let theirs = try await PythonExposition.read(bytes, as: format).samples
            #expect(theirs.count == page.samples.count)
            for (ours, theirs) in zip(page.samples, theirs) {
                #expect(ours.name == theirs.name)
                #expect(ours.labels.mapValues { Array($0.utf8) } == theirs.labels.mapValues { Array($0.utf8) })
            }
        }
    }
}

/// Small, seeded, and good enough to choose pieces.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
