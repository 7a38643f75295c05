import Foundation
import TestSupport

/// A `getaddrinfo` that stands before the C library's in a program that a test starts. No file of the system says anything
/// of its names.
final class PreloadedResolver: Sendable {
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <netdb.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
            int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
                (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))
                    dlsym(RTLD_NEXT, "getaddrinfo");
            if (!node) return next(node, service, hints, found);
            int log = open(getenv("PRELOADED_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
            if (log >= 0) {
                char line[512];
                int count = snprintf(line, sizeof line, "%s\\n", node);
                if (write(log, line, count) != count) abort();
                close(log);
            }
            if (strstr(node, "slow.invalid")) sleep(30);
            if (strstr(node, "hangs.invalid")) sleep(25);
            // Everything below it is this machine.
            if (strstr(node, "loopback.invalid") || strstr(node, "xn--bcher-kva.invalid")) node = "127.0.0.1";
            return next(node, service, hints, found);
        }
        """

    private let folder: URL
    private let library: String
    private var log: String { folder.appendingPathComponent("asked").path }

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        library = folder.appendingPathComponent("resolver.so").path
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let source = folder.appendingPathComponent("resolver.c").path
        try Self.source.write(toFile: source, atomically: true, encoding: .utf8)
        let compiled = try await runProgram("clang", ["-shared", "-fPIC", "-o", library, source, "-ldl"])
        guard compiled.status == 0 else { throw TestFailure(compiled.errors) }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// What a program is to be started with.
    var variables: [String: String] { ["LD_PRELOAD": library, "PRELOADED_LOG": log] }

    /// The names that were looked up, one after the other.
    var asked: [String] {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}
