import Foundation
import Testing

@Suite("What the rules can reach")
struct ImportTests {
    @Test("No source of PoolDecisions imports more than the vocabulary and a heap")
    func importsNothingElse() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let sources = tests.appending(path: "../../Sources/PoolDecisions").standardizedFileURL
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        #expect(!files.isEmpty)
        for file in files {
            let imports = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                .map { $0.split(separator: " ").map(String.init) }
                .compactMap { words in words.firstIndex(of: "import").map { words[$0...].dropFirst().first ?? "" } }
            #expect(Set(imports).isSubset(of: ["HTTPPool", "HeapModule"]), "\(file.lastPathComponent)")
        }
    }
}
