import Dispatch
import Foundation
import HTTPPool
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import PoolMetrics

@Suite("A client that is measured")
struct InstrumentedClientTests {
    let registry = PoolRegistry()
    let client = FakePool()

    func pending(_ number: UInt64, _ host: String = "a", site: CallSite = .unattributed) -> PendingSubmission {
        let origin = Origin(scheme: "http", host: host, port: 80)
        return PendingSubmission(
            number: number,
            origin: origin,
            site: site,
            submitted: MonotonicTime(nanoseconds: 1000 + number)
        )
    }

    @Test("A second pool of a living pool's name is refused, and the message names it")
    func nameTaken() throws {
        let first = try InstrumentedClient(client, name: "api", registry: registry)
        let error = #expect(throws: PoolNameError.self) {
            _ = try InstrumentedClient(FakePool(), name: "api", registry: registry)
        }
        #expect(error?.problem == .taken)
        #expect(error?.description.contains("\"api\"") == true)
        #expect(registry.readings().map(\.name) == [first.name])
    }

    @Test("Shutdown frees the name; the last numbers are served until another pool takes it")
    func shutdownFreesTheName() async throws {
        let first = try InstrumentedClient(client, name: "api", registry: registry)
        await first.shutdown(.immediate)
        #expect(client.policies == [.immediate])
        #expect(registry.readings().map(\.hasEnded) == [true])
        #expect(first.reading().name == "api" && !first.reading().hasEnded)

        let second = try InstrumentedClient(FakePool(), name: "api", registry: registry)
        #expect(registry.readings().map(\.hasEnded) == [false])
        await first.shutdown(.immediate)
        #expect(registry.readings().count == 1, "a late shutdown must not take the name of the next pool")
        withExtendedLifetime(second) {}
    }

    @Test("A pool that nobody holds any more has ended, and its name is free")
    func deallocationFreesTheName() throws {
        var dropped: InstrumentedClient? = try InstrumentedClient(client, name: "api", registry: registry)
        #expect(dropped?.name == "api")
        dropped = nil
        #expect(registry.readings().map(\.hasEnded) == [true])
        let next = try InstrumentedClient(FakePool(), name: "api", registry: registry)
        #expect(registry.readings().map(\.name) == [next.name])
        #expect(registry.readings().map(\.hasEnded) == [false])
    }

    @Test("An ended pool is served for five minutes, and at most eight are")
    func endedPools() async throws {
        let now = Atomic<UInt64>(0)
        let registry = PoolRegistry { MonotonicTime(nanoseconds: now.load(ordering: .relaxed)) }
        for index in 0..<10 {
            now.store(UInt64(index) * 1_000_000_000, ordering: .relaxed)
            let pool = FakePool()
            let client = try InstrumentedClient(pool, name: "pool \(index)", registry: registry)
            pool.report(PoolTurn([.staleRetry(.a)]).introducing(0, "a").levels(0, idle: 1))
            pool.report(PoolTurn().levels(0))
            await client.shutdown(.immediate)
        }
        #expect(registry.readings().map(\.name) == (2..<10).map { "pool \($0)" })
        for reading in registry.readings() {
            #expect(reading.levels == OriginLevels())
            #expect(reading.origins.map(\.staleRetries) == [1])
            #expect(reading.driverStallSeconds == 0)
        }
        now.store(302_000_000_000, ordering: .relaxed)
        #expect(registry.readings().count == 8)
        now.store(302_000_000_001, ordering: .relaxed)
        #expect(registry.readings().count == 7)
        now.store(400_000_000_000, ordering: .relaxed)
        #expect(registry.readings().isEmpty)
    }

    @Test("A pool whose observer is refused leaves the ended one of its name where it is")
    func refusedBesideEnded() async throws {
        let first = try InstrumentedClient(client, name: "api", registry: registry)
        await first.shutdown(.immediate)
        let recorder = PoolRecorder(backend: PoolBackend(library: "x/1", tls: "none"))
        _ = recorder.record { $0.submitted(to: Origin(scheme: "http", host: "a", port: 80)) }
        #expect(throws: PoolError.self) { _ = try MeasuredPool(recorder, name: "api", registry: registry) }
        #expect(registry.readings().map(\.hasEnded) == [true])
    }

    @Test("A client that takes no observer leaves the name free")
    func attachRefused() throws {
        let error = #expect(throws: PoolError.self) {
            _ = try InstrumentedClient(FakePool(refusesObserver: true), name: "api", registry: registry)
        }
        #expect(error?.code == .observerRefused)
        #expect(registry.readings().isEmpty)
        let next = try InstrumentedClient(client, name: "api", registry: registry)
        #expect(registry.readings().map(\.name) == [next.name])
    }

    @Test("The meter is the one observer")
    func oneObserver() throws {
        let measured = try InstrumentedClient(client, registry: registry)
        #expect(measured.name == "default")
        #expect(throws: PoolError.self) { try measured.pool.attach(PoolMeter(configuration: PoolConfiguration())) }
    }

    @Test(
        "A name that is empty, too long or holds a control character is refused",
        arguments: ["", String(repeating: "x", count: 65), "a\nb", "a\0", "\u{7F}", "\u{85}"]
    )
    func invalidName(_ name: String) throws {
        let error = #expect(throws: PoolNameError.self) {
            _ = try InstrumentedClient(client, name: name, registry: registry)
        }
        #expect(error?.problem == .invalid)
        #expect(error?.description.unicodeScalars.contains { $0.properties.generalCategory == .control } == false)
        #expect(registry.readings().isEmpty)
    }

    @Test("Readings come sorted by name")
    func sorted() throws {
        let pools = try ["b", "c", "a"].map { try InstrumentedClient(FakePool(), name: $0, registry: registry) }
        #expect(registry.readings().map(\.name) == ["a", "b", "c"])
        withExtendedLifetime(pools) {}
    }

    @Test("A request reaches the wrapped client with its options")
    func forwards() async throws {
        let measured = try InstrumentedClient(client, registry: registry)
        let site = CallSite("forwarded")
        let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")
        let response = try await measured.execute(request, body: .none, options: RequestOptions(site: site))
        #expect(response.status == .noContent)
        #expect(client.sites == [site])
        #expect(measured.pool.backend == client.backend)
        #expect(measured.configuration == client.configuration)
    }

    @Test("Reconfiguring reaches the wrapped client, and its refusal the caller")
    func reconfigures() async throws {
        let pool = FakePool()
        let measured = try InstrumentedClient(pool, registry: registry)
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = 3
        try await measured.pool.reconfigure(configuration)
        #expect(pool.reconfigurations == [configuration])
        #expect(measured.configuration == configuration)
        #expect(measured.reading().configuration == configuration)

        configuration.limits.maxConnections = 0
        await #expect(throws: ConfigurationError.self) { try await measured.pool.reconfigure(configuration) }
        #expect(measured.reading().configuration.limits.maxConnections == 3)
        #expect(measured.reading().configurationChanges == 1)
        configuration = measured.configuration
        configuration.transport.http2 = .negotiated
        let error = await #expect(throws: PoolError.self) { try await measured.pool.reconfigure(configuration) }
        #expect(error?.code == .invalidRequest)
    }

    @Test("A submission is counted once: before it is taken, while the turn goes on, and after the turn was told")
    func pendingOnce() throws {
        let measured = try InstrumentedClient(client, registry: registry)
        let site = CallSite("pending")
        func queued() -> Int { measured.reading().levels.requests.queued }
        client.submit(pending(1, site: site))
        client.submit(pending(2, "b", site: site))
        client.submit(pending(3, site: site))
        #expect(queued() == 3)
        #expect(measured.reading().origins.map(\.label) == ["http://a:80", "http://b:80"])
        #expect(measured.reading().sites.map(\.levels.queued) == [3])
        #expect(measured.reading().oldestQueued == MonotonicTime(nanoseconds: 1001))

        // The turn is told while the submissions that it took still stand in the line.
        var turn = PoolTurn().introducing(0, "a").introducing(1, "b").levels(0, queued: 1).levels(1, queued: 1)
        turn = turn.levels(site, queued: 2)
        turn.takenThrough = 2
        turn.oldestQueued = MonotonicTime(nanoseconds: 1001)
        client.report(turn)
        #expect(queued() == 3)
        #expect(measured.reading().sites.map(\.levels.queued) == [3])
        client.take(through: 2)
        #expect(queued() == 3)
        #expect(measured.reading().oldestQueued == MonotonicTime(nanoseconds: 1001))

        turn = PoolTurn().levels(0, inFlight: 1).levels(1, inFlight: 1).levels(site, queued: 0)
        turn.takenThrough = 2
        client.report(turn)
        #expect(queued() == 1)
        #expect(measured.reading().oldestQueued == MonotonicTime(nanoseconds: 1003))
        #expect(measured.reading().oldestQueuedSeconds > 0)
    }

    @Test("No turn can come between the two halves of a reading")
    func oneInstant() throws {
        let measured = try InstrumentedClient(client, registry: registry)
        client.submit(pending(1))
        client.whenPendingIsRead { [client] in
            let told = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                var turn = PoolTurn().introducing(0, "a").levels(0, inFlight: 1)
                turn.takenThrough = 1
                client.report(turn)
                client.take(through: 1)
                told.signal()
            }
            // The turn has to wait for the reading; were it not so, it would be over long before this.
            #expect(told.wait(timeout: .now() + 0.1) == .timedOut)
        }
        #expect(measured.reading().levels.requests.total == 1)
        client.whenPendingIsRead(nil)
        #expect(measured.reading().levels.requests.total == 1)
    }

    @Test("What waits keeps to the cap of origins too, and leaves nothing behind in the meter")
    func pendingCap() throws {
        let measured = try InstrumentedClient(client, registry: registry)
        for number in 1...70 as ClosedRange<UInt64> { client.submit(pending(number, "h\(number)")) }
        #expect(measured.reading().origins.count == 65)
        #expect(measured.reading().origins.last?.levels.requests.queued == 6)
        client.take(through: 70)
        #expect(measured.reading().origins.isEmpty)
    }

    @Test("Whatever two threads do, a reading shows the pool between two turns", .timeLimit(.minutes(1)))
    func concurrentReadings() async throws {
        let measured = try InstrumentedClient(client, registry: registry)
        let turns = 20_000
        let client = client
        async let driver: Void = Task.detached {
            var first = PoolTurn().introducing(0, "a")
            first.configuration = .allowing(1)
            client.report(first)
            for index in 0..<turns {
                let number = UInt64(index + 1)
                // Two turns make one exchange: a connection is opened and acquired, then let go and closed.
                client.submit(self.pending(number))
                var turn = PoolTurn([
                    .connectionOpened(.a, took: 1), .acquired(.a, .new, waited: 1, queued: 0),
                ]).levels(0, active: 1, inFlight: 1)
                turn.takenThrough = number
                // The limit is as high as there are connections: only a reading of one instant never sees them above it.
                turn.configuration = .allowing(2)
                client.report(turn)
                client.take(through: number)
                turn = PoolTurn([
                    .leaseEnded(.a, held: 1),
                    .connectionClosed(.a, .responseClose, lifetime: 1, requests: 1),
                ]).levels(0)
                turn.takenThrough = number
                turn.configuration = .allowing(1)
                client.report(turn)
            }
        }.value
        var last: UInt64 = 0
        var lastSubmitted: UInt64 = 0
        while last < UInt64(turns) {
            let reading = measured.reading()
            if let origin = reading.origins.first {
                let open = origin.levels.connections
                #expect(origin.connectionsOpened - origin.connectionsClosed.total == UInt64(open.active + open.idle))
                #expect(reading.durations.acquired.count == origin.acquires.total)
                #expect(
                    origin.acquires.total == reading.durations.lease.count + UInt64(origin.levels.requests.inFlight)
                )
                // Each submission is in one of the two; lost or counted twice, the sum would fall again.
                let submitted = origin.acquires.total + UInt64(origin.levels.requests.queued)
                #expect(origin.levels.requests.queued <= 1 && submitted >= lastSubmitted)
                lastSubmitted = submitted
                #expect(reading.configuration.limits.maxConnections == open.active + 1)
                #expect(origin.acquires.total >= last)
                last = origin.acquires.total
            }
            await Task.yield()
        }
        await driver
    }
}

extension PoolConfiguration {
    fileprivate static func allowing(_ connections: Int) -> PoolConfiguration {
        var configuration = PoolConfiguration()
        configuration.limits.maxConnections = connections
        return configuration
    }
}
