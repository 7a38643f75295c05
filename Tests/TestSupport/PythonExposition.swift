import Foundation

/// An exposition as PyPI's prometheus_client reads it, whose parser of OpenMetrics is the strictest there is.
package struct PythonExposition: Decodable, Sendable {
    package struct Sample: Decodable, Sendable {
        package let name: String
        package let labels: [String: String]
        private let value: String
        package let exemplar: Exemplar?
        /// Python's spelling of a number is one that Swift reads.
        package var number: Double? { Double(value) }
    }

    package struct Exemplar: Decodable, Sendable {
        package let labels: [String: String]
        package let value: Double
        /// Seconds since 1970.
        package let time: Double
    }

    package let samples: [Sample]
    /// By family, in the names of the format.
    package let types: [String: String]
    package let units: [String: String]

    /// - Throws: ``TestFailure`` where the parser refuses the text, or is not installed.
    package static func read(_ bytes: [UInt8], as format: ExpositionReader.Format) async throws -> PythonExposition {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Python")
        let python = folder.appendingPathComponent(".venv/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw TestFailure("Python's parsers are not installed; make deps-test installs them")
        }
        let script = folder.appendingPathComponent("samples.py").path
        let result = try await runProgram(python, [script, format == .text ? "text" : "openmetrics"], input: bytes)
        guard result.status == 0 else { throw TestFailure("prometheus_client refuses it: \(result.errors)") }
        return try JSONDecoder().decode(PythonExposition.self, from: Data(result.output.utf8))
    }
}
