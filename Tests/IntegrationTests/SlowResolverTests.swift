import Foundation
import LoopbackUpstream
import TestSupport
import Testing

/// A resolver that takes its time holds up nobody but those who wait for it.
@Suite("A slow resolver")
struct SlowResolverTests {
    private let scrapes = CheckedScrapes()

    private let resolver: PreloadedResolver

    init() async throws { resolver = try await PreloadedResolver() }

    @Test("Giving up on a look-up leaves the pool's thread free for all others")
    func timesOut() async throws {
        let upstream = LoopbackUpstream()
        try await upstream.start()
        let targets = ["http://slow.invalid/", "http://\(upstream.authority)/fast"]
        let result = try await Tool.run(
            ["run", "--duration", "3", "--concurrency", "8"] + targets.flatMap { ["--target", $0] },
            ["HTTP_CLIENT_METRICS_PORT": "0", "HTTP_CLIENT_CONNECT_TIMEOUT": "0.2"].merging(resolver.variables) { $1 }
        )
        await upstream.stop()
        let report = ToolReport(result.output)
        #expect(result.status == 0, "\(result.errors)")
        // Eight at a time give up every 0.2 seconds. Had a look-up held the thread, eight would have in all the time,
        // and the look-up would have come to its end.
        #expect(report.errors["connectTimeout", default: 0] >= 24, "\(report)")
        #expect(report.errors["dnsFailed"] == nil, "\(report)")
        #expect(resolver.asked.filter { $0 == "slow.invalid" }.count == 1, "all of them share it")
    }

    /// golang/go #63978 and dotnet/runtime #48566 are of threads that pile up so.
    @Test("A resolver that hangs for 25 seconds costs one thread and no descriptors, and shows in the numbers")
    func hangs() async throws {
        let run = try Tool.start(
            ["run", "--rate", "40", "--concurrency", "400", "--target", "http://hangs.invalid/"],
            [
                "HTTP_CLIENT_METRICS_PORT": "0", "HTTP_CLIENT_MAX_CONNECTIONS": "20",
                "HTTP_CLIENT_CONNECT_TIMEOUT": "0.4",
                "HTTP_CLIENT_POOL_TIMEOUT": "0.4",
            ].merging(resolver.variables) { $1 }
        )
        let address = try await endpoint(of: run)
        try await eventually("requests wait for the name") { try await resolving(at: address) == 1 }
        let (threads, descriptors) = try (entries("task", of: run), entries("fd", of: run))
        // Four seconds, in which 160 requests come and give up.
        for _ in 0..<20 {
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await resolving(at: address) == 1)
            // The runtime's own threads come and go; curl's connection for the numbers is one descriptor.
            #expect(try entries("task", of: run) <= threads + 4)
            #expect(try entries("fd", of: run) <= descriptors + 4)
        }
        #expect(resolver.asked.filter { $0 == "hangs.invalid" }.count == 1)
        run.signal(SIGINT)
        let report = ToolReport(try await run.end().output)
        #expect(report.errors["connectTimeout", default: 0] >= 40, "\(report)")
    }

    /// curl/curl #1212: without a UTF-8 locale it reads a name as other characters.
    @Test("A name beyond ASCII is found in any locale, and is the same in both its forms", arguments: ["C", "C.UTF-8"])
    func international(locale: String) async throws {
        let upstream = LoopbackUpstream()
        try await upstream.start()
        let port = upstream.authority.split(separator: ":").last ?? ""
        for host in ["bücher.invalid", "xn--bcher-kva.invalid", "BÜCHER.invalid"] {
            let result = try await Tool.run(
                ["run", "--duration", "0.5", "--rate", "20", "--target", "http://\(host):\(port)/fast"],
                ["HTTP_CLIENT_METRICS_PORT": "0", "LC_ALL": locale].merging(resolver.variables) { $1 }
            )
            #expect(result.status == 0, "\(result.errors)")
            #expect(ToolReport(result.output).errors.isEmpty, "\(result.output)")
        }
        await upstream.stop()
        // The endpoint looks its own address up.
        #expect(Set(resolver.asked).subtracting(["127.0.0.1"]) == ["xn--bcher-kva.invalid"])
    }

    private func endpoint(of run: Program) async throws -> String {
        var address: String?
        try await eventually("the tool says where the numbers are") {
            address = ToolReport(run.output)["metrics"]
            return address != nil
        }
        return try #require(address)
    }

    private func resolving(at address: String) async throws -> Double? {
        try await scrapes.scrape(address).all("http_client_pool_resolving").first?.value
    }

    /// How many threads (`task`) or descriptors (`fd`) the program has.
    private func entries(_ folder: String, of run: Program) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(run.id)/\(folder)").count
    }
}
