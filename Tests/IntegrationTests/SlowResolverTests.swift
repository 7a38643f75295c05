import Foundation
import LoopbackUpstream
import TestSupport
import Testing

/// A resolver that takes its time holds up nobody but those who wait for it.
@Suite("A slow resolver")
struct SlowResolverTests {
    /// Stands before the C library's resolver and lets one name take three seconds.
    private static let resolver = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <netdb.h>
        #include <string.h>
        #include <unistd.h>
        int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
            if (node && strstr(node, "slow.invalid")) sleep(3);
            int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
                (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))
                    dlsym(RTLD_NEXT, "getaddrinfo");
            return next(node, service, hints, found);
        }
        """

    @Test("Giving up on a look-up leaves the pool's thread free for all others")
    func timesOut() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appendingPathComponent("resolver.c").path
        let library = folder.appendingPathComponent("resolver.so").path
        try Self.resolver.write(toFile: source, atomically: true, encoding: .utf8)
        let compiled = try await runProgram("clang", ["-shared", "-fPIC", "-o", library, source, "-ldl"])
        try #require(compiled.status == 0, "\(compiled.errors)")

        let upstream = LoopbackUpstream()
        try await upstream.start()
        let targets = ["http://slow.invalid/", "http://\(upstream.authority)/fast"]
        let result = try await Tool.run(
            ["run", "--duration", "3", "--concurrency", "8"] + targets.flatMap { ["--target", $0] },
            ["HTTP_CLIENT_METRICS_PORT": "0", "HTTP_CLIENT_CONNECT_TIMEOUT": "0.2", "LD_PRELOAD": library]
        )
        await upstream.stop()
        let report = ToolReport(result.output)
        #expect(result.status == 0, "\(result.errors)")
        // Eight at a time give up every 0.2 seconds. Had a look-up held the thread, eight would have in all the time,
        // and the look-up would have come to its end.
        #expect(report.errors["connectTimeout", default: 0] >= 24, "\(report)")
        #expect(report.errors["dnsFailed"] == nil, "\(report)")
    }
}
