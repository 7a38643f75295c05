import Foundation

/// The JSON Schema of the endpoint's pages, as the documentation has it, and PyPI's validator.
package enum PageSchema {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../.."
    )
    /// Where the schema is.
    package static let path = root.appendingPathComponent("schemas/pages.schema.json").path

    /// What of these pages, by name, is not as the schema says: a missing key, one that is not documented, or a value.
    ///
    /// - Throws: ``TestFailure`` where the validator is not installed or refuses the schema.
    package static func problems(in pages: [String: String]) async throws -> [String] {
        let folder = root.appendingPathComponent("Tests/Python")
        let python = folder.appendingPathComponent(".venv/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw TestFailure("Python's jsonschema is not installed; make deps-test installs it")
        }
        let input = try JSONEncoder().encode(pages)
        let script = folder.appendingPathComponent("pages.py").path
        let result = try await runProgram(python, [script, path], input: [UInt8](input))
        guard result.status == 0 else { throw TestFailure("the validator says: \(result.errors)") }
        return try JSONDecoder().decode([String].self, from: Data(result.output.utf8))
    }
}
