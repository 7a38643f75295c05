import Foundation
import TestSupport

/// Debian's Prometheus on a port of loopback, with the configuration of this package, scraping one endpoint.
final class Prometheus: Sendable {
    /// One series of an answer.
    struct Series: Sendable {
        /// All labels, `__name__` with them.
        let labels: [String: String]
        let value: Double
    }

    private let program: Program
    private let folder: URL
    private let address: String
    private let targets: Int

    /// Starts it and waits until it is ready.
    ///
    /// - Parameters:
    ///   - targets: hosts and ports of endpoints, in place of the one in the configuration.
    ///   - features: what it is to have beyond its defaults.
    static func start(scraping targets: String..., features: [String] = []) async throws -> Prometheus {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("prometheus-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: shippedFolder, to: folder)
        do {
            let file = folder.appendingPathComponent("prometheus.yml")
            try configuration(from: file, scraping: targets).write(to: file, atomically: true, encoding: .utf8)
            let options =
                [
                    "--config.file=\(file.path)", "--storage.tsdb.path=\(folder.path)/data",
                    "--web.listen-address=127.0.0.1:0", "--web.console.templates=\(folder.path)/consoles",
                ] + features.map { "--enable-feature=\($0)" }
            let program = try Program("prometheus", options)
            var address: String?
            // It picks the port itself and writes it into its log.
            try await eventually("Prometheus listens") {
                guard program.isRunning else { throw TestFailure("Prometheus ended: \(program.errors)") }
                address = program.errors.firstMatch(of: /msg="Listening on" address=(\S+)/).map { String($0.1) }
                return address != nil
            }
            guard let address else { throw TestFailure("Prometheus has no address") }
            try await eventually("Prometheus is ready") {
                try await curl("--fail", "http://\(address)/-/ready").status == 0
            }
            return Prometheus(program: program, folder: folder, address: address, targets: targets.count)
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    private init(program: Program, folder: URL, address: String, targets: Int) {
        self.program = program
        self.folder = folder
        self.address = address
        self.targets = targets
    }

    deinit {
        program.signal(SIGTERM)
        program.waitForEnd()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Where it listens.
    var url: String { "http://\(address)" }

    /// The answer to an instant query.
    ///
    /// - Throws: ``TestFailure`` with the words of Prometheus where it refuses the query.
    func query(_ expr: String) async throws -> [Series] {
        let data: Answer.Vector = try await ask("query", ["query=\(expr)"])
        return data.result.map { Series(labels: $0.metric, value: $0.value.number) }
    }

    /// The values of a label in the series that a selector finds.
    func values(ofLabel label: String, in selector: String) async throws -> [String] {
        try await ask("label/\(label)/values", ["match[]=\(selector)"])
    }

    /// The exemplars of the series that a selector finds, of the last hour.
    func exemplars(_ selector: String) async throws -> [Exemplars] {
        let now = Date().timeIntervalSince1970
        return try await ask("query_exemplars", ["query=\(selector)", "start=\(now - 3600)", "end=\(now + 3600)"])
    }

    /// The exemplars of one series.
    struct Exemplars: Decodable {
        struct Exemplar: Decodable {
            let labels: [String: String]
            /// As text, because JSON has no NaN.
            let value: String
            /// Seconds since 1970.
            let timestamp: Double
        }
        let seriesLabels: [String: String]
        let exemplars: [Exemplar]
    }

    /// Waits until a scrape of each target that begins now or later is stored.
    func nextScrape() async throws {
        let now = Date().timeIntervalSince1970
        try await eventually("the next scrape") {
            let scrapes = try await query("timestamp(up) * up")
            return scrapes.count == targets && scrapes.allSatisfy { $0.value > now }
        }
    }

    /// The instances whose last scrape declared a family of this name, and its type and unit there.
    func declarations(of family: String) async throws -> [String: Declaration] {
        let found: [Answer.Metadata] = try await ask("targets/metadata", ["metric=\(family)"])
        return found.reduce(into: [:]) { declarations, row in
            declarations[row.target["instance"] ?? ""] = Declaration(type: row.type, unit: row.unit)
        }
    }

    /// What a scrape said about a family.
    struct Declaration: Hashable {
        let type: String
        let unit: String
    }

    private func ask<Value: Decodable>(_ path: String, _ parameters: [String]) async throws -> Value {
        let encoded = parameters.flatMap { ["--data-urlencode", $0] }
        let options = ["-q", "-sS", "--noproxy", "*", "--max-time", "10", "-G"]
        let result = try await runProgram("curl", options + encoded + ["http://\(address)/api/v1/\(path)"])
        let answer = try? JSONDecoder().decode(Answer.Envelope<Value>.self, from: Data(result.output.utf8))
        guard let data = answer?.data else { throw TestFailure("\(parameters): \(result.output)\(result.errors)") }
        return data
    }
}

extension Prometheus {
    /// `dashboards/prometheus` of this package.
    private static let shippedFolder = Dashboard.folder.appendingPathComponent("prometheus")

    /// The shipped configuration, with another target and scrapes that a test can wait for.
    private static func configuration(from file: URL, scraping targets: [String]) throws -> String {
        var text = try String(contentsOf: file, encoding: .utf8)
        for (shipped, ours) in [
            ("\"127.0.0.1:9464\"", targets.map { "\"\($0)\"" }.joined(separator: ", ")),
            ("scrape_interval: 5s", "scrape_interval: 250ms"),
            ("scrape_timeout: 4s", "scrape_timeout: 250ms"),
            ("evaluation_interval: 15s", "evaluation_interval: 250ms"),
        ] {
            guard text.contains(shipped) else { throw TestFailure("prometheus.yml has no \(shipped)") }
            text = text.replacingOccurrences(of: shipped, with: ours)
        }
        return text
    }

    /// The JSON of its HTTP API.
    private enum Answer {
        struct Envelope<Value: Decodable>: Decodable { let data: Value? }
        struct Metadata: Decodable {
            let target: [String: String]
            let type: String
            let unit: String
        }
        struct Vector: Decodable { let result: [Row] }
        struct Row: Decodable {
            let metric: [String: String]
            let value: Point
        }
        /// Seconds since 1970, and the value as text, because JSON has no NaN.
        struct Point: Decodable {
            let number: Double

            init(from decoder: any Decoder) throws {
                var fields = try decoder.unkeyedContainer()
                _ = try fields.decode(Double.self)
                let text = try fields.decode(String.self)
                guard let number = Double(text) else { throw TestFailure("not a number: \(text)") }
                self.number = number
            }
        }
    }
}
