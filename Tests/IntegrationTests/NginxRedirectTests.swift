import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics
import TestSupport
import Testing

/// What nginx itself writes into `Location`, followed.
@Suite("Redirects of nginx")
struct NginxRedirectTests {
    @Test("lead on with relative and absolute addresses, and credentials stay at their origin")
    func followed() async throws {
        let seen = #"return 200 "$request_method $request_uri [$http_authorization] [$http_cookie] $http_host";"#
        let other = try await Nginx.start(locations: "location /seen { \(seen) }")
        let nginx = try await Nginx.start(
            locations: """
                location /seen { \(seen) }
                location = /absolute { return 301 /seen/a?b=c; }
                location = /relative { absolute_redirect off; return 302 /seen/d/../e; }
                location = /elsewhere { return 307 http://\(other.authority)/seen/f; }
                location = /chain { return 308 /absolute; }
                """
        )
        let client = try InstrumentedClient(CurlClient(), name: "redirects", registry: PoolRegistry())
        var options = RequestOptions()
        options.redirects = .follow()
        func answer(_ path: String, _ method: HTTPRequest.Method = .get) async throws -> String {
            var request = HTTPRequest(method: method, scheme: "http", authority: nginx.authority, path: path)
            request.headerFields.append(try .bearer("token"))
            request.headerFields[.cookie] = "id=1"
            let response = try await client.execute(request, body: .none, options: options)
            #expect(response.status == .ok)
            return String(decoding: try await response.body.collect(), as: UTF8.self)
        }
        let kept = "[Bearer token] [id=1] \(nginx.authority)"
        #expect(try await answer("/absolute") == "GET /seen/a?b=c \(kept)")
        #expect(try await answer("/relative") == "GET /seen/e \(kept)")
        #expect(try await answer("/chain") == "GET /seen/a?b=c \(kept)")
        #expect(try await answer("/absolute", .post) == "GET /seen/a?b=c \(kept)")
        #expect(try await answer("/elsewhere", .delete) == "DELETE /seen/f [] [] \(other.authority)")

        let origins = client.reading().origins
        #expect(origins.map { $0.acquires.total }.reduce(0, +) == 11)
        #expect(origins.map { $0.connectionsOpened }.reduce(0, +) == 2)
        await client.shutdown()
    }

    @Test("A thousand redirects of nginx are a thousand and one acquisitions of one connection")
    func thousand() async throws {
        let nginx = try await Nginx.start(
            locations: """
                location ~ ^/hop/x(x*)$ { absolute_redirect off; return 302 /hop/$1; }
                location = /hop/ { return 200 "there"; }
                """
        )
        try await withPool { pool, journal in
            var options = RequestOptions()
            let start = HTTPRequest.get("http", nginx.authority, "/hop/" + String(repeating: "x", count: 1000))
            options.redirects = .follow(limit: 999)
            let error = try await poolError { _ = try await pool.execute(start, body: .none, options: options) }
            #expect(error.code == .tooManyRedirects)
            options.redirects = .follow(limit: 1000)
            let response = try await pool.execute(start, body: .none, options: options)
            #expect(String(decoding: try await response.body.collect(), as: UTF8.self) == "there")
            #expect(journal.acquireKinds == [.new] + [AcquireKind](repeating: .reused, count: 2000))
            let served = try #require(try await nginx.status(questionsBefore: 1))
            #expect(served.accepted == 1 && served.requests == 2001)
        }
    }
}
