import HTTPPool
import Testing

@Suite("An error of the pool")
struct PoolErrorTests {
    private let origin = Origin(scheme: "https", host: "api.example", port: 443)

    @Test("says cause, origin, seconds, phase and the limit in force with its variable")
    func everything() {
        let error = PoolError(
            .acquireTimeout,
            "no connection became free",
            origin: origin,
            phase: .acquire,
            elapsed: .milliseconds(1500),
            limit: PoolError.Limit(
                setting: .maxConnections,
                value: .count(2),
                source: .environment("HTTP_CLIENT_MAX_CONNECTIONS")
            )
        )
        #expect(
            error.description
                == "acquireTimeout https://api.example:443: no connection became free; "
                + "1.5 s after submission, phase acquire; in force: max_connections = 2 (HTTP_CLIENT_MAX_CONNECTIONS)"
        )
        #expect("\(error as any Error)" == error.description)
    }

    @Test("leaves out what is not known")
    func little() {
        let error = PoolError(.invalidRequest, "the request has no host", phase: .submit)
        #expect(error.description == "invalidRequest: the request has no host")
    }

    @Test("rounds to the millisecond")
    func rounding() {
        var error = PoolError(.readTimeout, "nothing came", phase: .exchange)
        let times: [(Duration, String)] = [
            (.nanoseconds(1_234_567_890), "1.235 s"), (.microseconds(400), "0.0 s"), (.seconds(30), "30.0 s"),
        ]
        for (elapsed, text) in times {
            error.elapsed = elapsed
            #expect(error.description == "readTimeout: nothing came; \(text) after submission, phase exchange")
        }
    }

    @Test("names every setting that can be its limit, with seconds or a count")
    func limits() {
        for setting in PoolSetting.all {
            let limit = PoolError.Limit(setting, in: PoolConfiguration())
            #expect(limit.description == "\(setting.name) = \(limit.value) (default \(setting.property))")
        }
    }

    @Test("says what set the limit in force: the variable, the code, or the request")
    func sourceOfTheLimit() throws {
        var configuration = try read(["HTTP_CLIENT_READ_TIMEOUT": "4"])
        configuration.limits.maxConnections = 2
        let read = PoolError.Limit(.readTimeout, .seconds(4), in: configuration)
        #expect(read.description == "read_timeout_seconds = 4.0 s (HTTP_CLIENT_READ_TIMEOUT)")
        let own = PoolError.Limit(.readTimeout, .milliseconds(250), in: configuration)
        #expect(own.description == "read_timeout_seconds = 0.25 s (code)")
        let code = PoolError.Limit(.maxConnections, in: configuration)
        #expect(code.description == "max_connections = 2 (code)")
        let unset = PoolError.Limit(.connectTimeout, in: configuration)
        #expect(unset.description == "connect_timeout_seconds = 10.0 s (default HTTP_CLIENT_CONNECT_TIMEOUT)")
    }

    @Test("has a code of its own for each cause, with its own name")
    func codes() {
        let codes: [PoolError.Code: String] = [
            .acquireTimeout: "acquireTimeout", .queueFull: "queueFull", .connectTimeout: "connectTimeout",
            .connectFailed: "connectFailed", .dnsFailed: "dnsFailed", .tlsFailed: "tlsFailed",
            .readTimeout: "readTimeout", .writeTimeout: "writeTimeout", .totalTimeout: "totalTimeout",
            .connectionLost: "connectionLost", .invalidRequest: "invalidRequest",
            .invalidResponse: "invalidResponse", .responseTooLarge: "responseTooLarge", .shutdown: "shutdown",
            .observerRefused: "observerRefused", .outOfResources: "outOfResources",
        ]
        #expect(codes.count == 16)
        for (code, name) in codes { #expect(code.description == name) }
    }
}
