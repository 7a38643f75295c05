import HTTPPool
import HTTPTypes
import Testing

@Suite("A total timeout over several exchanges")
struct TotalTimeoutTests {
    private let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/secret")

    private func configuration(total: Duration?) -> PoolConfiguration {
        var configuration = PoolConfiguration()
        configuration.timeouts.total = total
        return configuration
    }

    private func timeouts(total: Duration?) -> PoolTimeouts {
        var timeouts = PoolTimeouts()
        timeouts.total = total
        return timeouts
    }

    @Test("gives each what is left; the request's own goes before the client's")
    func rest() throws {
        var options = RequestOptions(site: CallSite("total"))
        let ofClient = TotalTimeout(options, defaults: configuration(total: .seconds(5)))
        options.timeouts.total = .seconds(3)
        let own = TotalTimeout(options, defaults: configuration(total: .seconds(5)))
        #expect(try ofClient.options(for: request, after: .seconds(2)).timeouts.total == .seconds(3))
        #expect(try own.options(for: request, after: .seconds(2)).timeouts.total == .seconds(1))
        #expect(try own.options(for: request, after: .zero) == options)
    }

    @Test("changes nothing where there is none")
    func none() throws {
        let options = RequestOptions(site: CallSite("total"))
        let total = TotalTimeout(options, defaults: PoolConfiguration())
        #expect(try total.options(for: request, after: .seconds(1_000_000)) == options)
    }

    @Test("says that nothing is left in terms of the whole, and so does the last exchange")
    func expired() throws {
        let total = TotalTimeout(RequestOptions(), defaults: configuration(total: .seconds(3)))
        let error = try #require(throws: PoolError.self) { try total.options(for: request, after: .seconds(3)) }
        #expect(
            error.description
                == "totalTimeout http://a:80: the response was not complete within 3.0 s; 3.0 s after submission, "
                + "phase submit; in force: total_timeout_seconds = 3.0 s (code)"
        )
        let ofExchange = PoolError(
            .totalTimeout,
            "within 1.0 s",
            origin: error.origin,
            phase: .submit,
            elapsed: .seconds(1)
        )
        #expect(total.whole(ofExchange, after: .seconds(3)) == error)
        let other = PoolError(.readTimeout, "nothing came", phase: .exchange, elapsed: .seconds(1))
        #expect(total.whole(other, after: .seconds(3)) == other)
    }
}
