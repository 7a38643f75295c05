import FoundationEssentials
import PoolScope
import TestSupport
import Testing

/// What a service does on its first day, with one import.
@Suite("One import")
struct FirstRequestTests {
    private struct Item: Codable, Equatable {
        let name: String
    }

    @Test("Text, JSON and a form go out and come back, each with its media type")
    func bodies() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while let request = try connection.readRequest() {
                let fields = request.head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix("content-type:") }
                let type = fields.first?.split(separator: " ").last ?? "none"
                connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\nX-Type: \(type)\r\n\r\n"
                        + String(decoding: request.body, as: UTF8.self)
                )
            }
        }
        let pool = try CurlClient()
        let client = try InstrumentedClient(pool, registry: PoolRegistry())
        let url = "http://\(peer.authority)/items?page=2#top"
        let type = try #require(HTTPField.Name("X-Type"))

        let json = try await client.execute(url, method: .post, body: .json(Item(name: "bücher")), timeout: .seconds(5))
        #expect(json.headers[type] == "application/json")
        #expect(try await json.decode(Item.self) == Item(name: "bücher"))

        let form = try await client.execute(url, method: .post, body: .form(["a b": "ü&=", "c": "*-._"]))
        #expect(form.headers[type] == "application/x-www-form-urlencoded")
        #expect(try await form.text() == "a+b=%C3%BC%26%3D&c=*-._")

        let own = try await client.execute(
            url,
            method: .post,
            headers: [.contentType: "application/problem+json"],
            body: .json(Item(name: "x"))
        )
        #expect(own.headers[type] == "application/problem+json")
        await client.shutdown(.immediate)
    }

    @Test("The timeout of one request is one argument")
    func timeout() async throws {
        let peer = try ScriptedPeer { connection, _ in connection.waitForEnd() }
        var configuration = PoolConfiguration()
        configuration.timeouts.read = .seconds(60)
        let client = try CurlClient(configuration)
        let error = try await poolError {
            _ = try await client.execute("http://\(peer.authority)/", timeout: .milliseconds(50))
        }
        #expect(error.code == .totalTimeout)
        await client.shutdown(.immediate)
        try await peer.stop()
    }

    @Test("Call sites: a literal, the task's, and the client's own")
    func sites() async throws {
        let peer = try ScriptedPeer { connection, _ in
            while try connection.readHeadOnly() != nil { connection.answer("ok") }
        }
        let client = try InstrumentedClient(CurlClient(), registry: PoolRegistry())
        let url = "http://\(peer.authority)/"
        _ = try await client.execute(url, site: "literal").text()
        try await CallSite.$current.withValue("nightly import") { _ = try await client.execute(url).text() }
        _ = try await client.attributed(to: "catalog").execute(url).text()
        _ = try await client.execute(url).text()
        let sites = client.reading().sites.map(\.label)
        #expect(sites == ["literal", "nightly import", "catalog", "unattributed"])
        #expect(client.reading().sites.allSatisfy { $0.acquires == 1 })
        await client.shutdown(.immediate)
    }
}
