import Foundation
import Glibc

/// What a program said and how it ended.
package struct ProgramResult: Sendable {
    package let status: Int32
    package let output: String
    package let errors: String
}

/// A program that runs beside the test. It is killed when the last reference to it goes.
package final class Program: Sendable {
    private let process = Process()
    private let folder: URL

    /// Starts a program, by name from the PATH or by its whole path.
    ///
    /// It has the environment of the tests, with those variables changed; one that is `nil` is taken away.
    ///
    /// - Throws: ``TestFailure`` if it is not there: a test never passes because its tool is missing.
    package init(
        _ name: String,
        _ arguments: [String],
        environment: [String: String?] = [:],
        input: [UInt8] = []
    ) throws {
        let path = try Self.path(of: name)
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Files, not pipes: a program that says a lot can never wait for its reader.
        for (name, content) in [("in", input), ("out", []), ("err", [])] {
            try Data(content).write(to: folder.appendingPathComponent(name))
        }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        var variables = ProcessInfo.processInfo.environment
        for (name, value) in environment { variables[name] = value }
        process.environment = variables
        process.standardInput = try FileHandle(forReadingFrom: folder.appendingPathComponent("in"))
        process.standardOutput = try FileHandle(forWritingTo: folder.appendingPathComponent("out"))
        process.standardError = try FileHandle(forWritingTo: folder.appendingPathComponent("err"))
        try Self.withSignals { try process.run() }
    }

    /// A program inherits the signals that the thread which starts it has blocked, and the threads of Swift's
    /// concurrency have blocked nearly all. No user starts a program that way.
    private static func withSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var blocked = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &blocked)
        defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try body()
    }

    deinit {
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    package var id: Int32 { process.processIdentifier }
    package var isRunning: Bool { process.isRunning }
    /// What it has said so far.
    package var output: String { text("out") }
    package var errors: String { text("err") }

    package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Blocks until it has ended.
    @discardableResult
    package func waitForEnd() -> ProgramResult {
        process.waitUntilExit()
        return ProgramResult(status: process.terminationStatus, output: output, errors: errors)
    }

    private func text(_ name: String) -> String {
        let data = try? Data(contentsOf: folder.appendingPathComponent(name))
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    private static func path(of name: String) throws -> String {
        if name.hasPrefix("/") { return name }
        // Debian keeps nginx where only root's path leads.
        let path: String = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin"
        let found = path.split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else { throw TestFailure("\(name) is not installed; make deps-test installs it") }
        return found
    }
}

/// Runs a program to its end.
package func runProgram(
    _ name: String,
    _ arguments: [String],
    environment: [String: String?] = [:],
    input: [UInt8] = []
) async throws -> ProgramResult {
    try await onThread { try Program(name, arguments, environment: environment, input: input).waitForEnd() }
}

/// Does blocking work on a thread of its own, so that no concurrency thread waits for it.
package func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}

/// `curl -sS` with a deadline of ten seconds, without the proxies and settings of whoever runs the tests.
package func curl(_ arguments: String...) async throws -> ProgramResult {
    try await runProgram("curl", ["-q", "-sS", "--noproxy", "*", "--max-time", "10"] + arguments)
}
