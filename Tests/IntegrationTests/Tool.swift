import Foundation
import TestSupport

/// The built `poolscope`, started as its users start it.
enum Tool {
    /// Where it is.
    ///
    /// - Throws: ``TestFailure`` if it was not built beside the tests.
    static var path: String { get throws { try path(of: "poolscope") } }

    /// Where a program that was built beside the tests is.
    static func path(of name: String) throws -> String {
        guard let folder = Bundle.main.executableURL?.deletingLastPathComponent() else {
            throw TestFailure("where these tests are built is not known")
        }
        let path = folder.appendingPathComponent(name).path
        guard FileManager.default.isExecutableFile(atPath: path) else { throw TestFailure("\(path) is not built") }
        return path
    }

    /// Starts it with these variables, and no more descriptors than these, and with none of its own that the tests happen to have.
    ///
    /// - Throws: ``TestFailure`` if it was not built beside the tests.
    static func start(
        _ arguments: [String],
        _ variables: [String: String] = [:],
        descriptors: Int? = nil
    ) throws -> Program {
        let path = try path
        let inherited = ProcessInfo.processInfo.environment.keys.filter { $0.hasPrefix("HTTP_CLIENT_") }
        let cleared = Dictionary(uniqueKeysWithValues: inherited.map { ($0, String?.none) })
        let environment = cleared.merging(variables.mapValues(Optional.some)) { $1 }
        guard let descriptors else { return try Program(path, arguments, environment: environment) }
        let limited = ["-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\"", path] + arguments
        return try Program("sh", limited, environment: environment)
    }

    /// Runs it to its end.
    static func run(_ arguments: [String], _ variables: [String: String] = [:]) async throws -> ProgramResult {
        try await start(arguments, variables).end()
    }

    /// Starts `poolscope run` with an endpoint on a free port, and waits until it says where the numbers are.
    static func startRun(_ arguments: String...) async throws -> (run: Program, said: ToolReport) {
        try await startRun(arguments)
    }

    /// The same with a list of arguments.
    static func startRun(_ arguments: [String]) async throws -> (run: Program, said: ToolReport) {
        let run = try start(["run"] + arguments, ["HTTP_CLIENT_METRICS_PORT": "0"])
        try await eventually("the tool says where the numbers are") {
            // On a busy machine a short run may be over before anybody looks.
            if ToolReport(run.output)["status"] != nil { return true }
            guard run.isRunning else { throw TestFailure("the tool ended: \(run.output)\(run.errors)") }
            return false
        }
        return (run, ToolReport(run.output))
    }
}

extension Program {
    /// Waits for the end, but not for ever.
    func end() async throws -> ProgramResult {
        try await eventually("the program ends") { !isRunning }
        return waitForEnd()
    }
}

/// What the tool says in two columns, name and value.
struct ToolReport: CustomStringConvertible {
    let description: String
    private let rows: [String: String]

    init(_ text: String) {
        description = text
        rows = text.split(separator: "\n").reduce(into: [:]) { rows, line in
            guard let gap = line.firstRange(of: "  ") else { return }
            rows[String(line[..<gap.lowerBound])] = line[gap.upperBound...].trimmingCharacters(in: .whitespaces)
        }
    }

    subscript(name: String) -> String? { rows[name] }

    /// The number at the beginning of a value; `nil` where there is none.
    func number(_ name: String) -> Double? { self[name]?.split(separator: " ").first.flatMap { Double($0) } }

    /// The errors by their code.
    var errors: [String: Int] {
        rows.reduce(into: [:]) { errors, row in
            if let code = row.key.wholeMatch(of: /error (\w+)/)?.1 {
                errors[String(code)] = Int(row.value.prefix { $0.isNumber })
            }
        }
    }
}
