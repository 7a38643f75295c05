import Foundation
import Testing

@testable import PoolMetrics

/// A family that no test names can stop counting, and nobody sees it.
@Suite("Families and their tests")
struct NamedFamiliesTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// The sources of all tests but this one. Lists of all series are no sources.
    private func sources() throws -> [String] {
        let files = try #require(FileManager.default.enumerator(at: Self.tests, includingPropertiesForKeys: nil))
        let own = URL(filePath: #filePath).lastPathComponent
        return try files.compactMap { $0 as? URL }
            .filter { $0.pathExtension == "swift" && $0.lastPathComponent != own }
            .map { try String(contentsOf: $0, encoding: .utf8) }
    }

    /// Whether a source names the family: in full, or in quotes without the prefix that all of them have. A histogram may
    /// be named by one of its samples.
    private func isNamed(_ family: Family, in words: Set<Substring>) -> Bool {
        let short = family.name.replacing(/^http_client_pool_/, with: "")
        let endings = family.kind == .histogram ? ["", "_count", "_sum", "_bucket"] : [""]
        return endings.contains { words.contains("\(family.name)\($0)") || words.contains("\"\(short)\($0)") }
    }

    @Test("A test names every family")
    func named() throws {
        var words: Set<Substring> = []
        for source in try sources() { for match in source.matches(of: /"?[a-z][a-z0-9_]*/) { words.insert(match.0) } }
        // The prefix of a literal that begins with a quote does not hide its name.
        words.formUnion(
            words.filter { $0.hasPrefix("\"http_client_pool_") || $0.hasPrefix("\"process_") }.map { $0.dropFirst() }
        )
        words.formUnion(
            words.filter { $0.hasPrefix("\"poolscope_") || $0.hasPrefix("\"http_client_pools") }.map { $0.dropFirst() }
        )
        #expect(words.count > 1000)
        let missing = Family.all.filter { !isNamed($0, in: words) }.map(\.name)
        #expect(missing.isEmpty, "no test names \(missing)")
    }
}
