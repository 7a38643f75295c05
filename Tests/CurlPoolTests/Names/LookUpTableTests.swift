import HTTPPool
import Testing

@testable import CurlPool

@Suite("The table of look-ups")
struct LookUpTableTests {
    private var table = LookUpTable(maxThreads: 2)

    private func waiter(_ ticket: UInt64) -> LookUpTable.Waiter { LookUpTable.Waiter(ticket: ticket) { _ in } }

    private func time(_ nanoseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    private mutating func ask(_ name: String, _ ticket: UInt64 = 0, lifetime: UInt64 = 10, at now: UInt64 = 0) -> String
    {
        switch table.ask(name, lifetime: lifetime, waiter(ticket), at: time(now)) {
        case .known(let known): known.addresses.joined(separator: " ")
        case .pending(let startsThread): startsThread ? "starts a thread" : "waits"
        }
    }

    private mutating func finish(_ name: String, _ result: NameResult, at now: UInt64 = 0) -> [UInt64] {
        table.finish(name, result, at: time(now)).0.map(\.ticket)
    }

    @Test("starts a thread for each name up to the most, and lets the others wait their turn")
    mutating func threads() {
        #expect(ask("a", 1) == "starts a thread")
        #expect(ask("a", 2) == "waits")
        #expect(ask("b", 3) == "starts a thread")
        #expect(ask("c", 4) == "waits")
        #expect((table.next(), table.next()) == ("a", "b"))
        #expect(ask("a", 5) == "waits")
        #expect(finish("a", .success(["1"])) == [1, 2, 5])
        #expect(table.next() == "c")
        #expect(finish("c", .success(["3"])) == [4])
        #expect(table.next() == nil)
        #expect(table.threads == 1)
        #expect(finish("b", .failure(.unknown)) == [3])
        #expect(table.next() == nil)
        #expect(table.threads == 0)
        #expect(ask("d") == "starts a thread")
    }

    @Test("knows addresses for their lifetime, each once, and no failure")
    mutating func lifetime() {
        _ = ask("a")
        _ = table.next()
        _ = finish("a", .success(["1", "2", "1"]), at: 100)
        #expect(ask("a", at: 109) == "1 2")
        #expect(ask("a", lifetime: 0, at: 100) == "starts a thread", "every connection looks up")
        _ = table.next()
        _ = finish("a", .failure(.unknown), at: 105)
        #expect(ask("a", at: 106) == "waits", "what failed is not known any more")
        _ = table.next()
        _ = finish("a", .success([]), at: 106)
        #expect(ask("a", at: 106) == "waits", "a name without addresses is not known")
        _ = table.next()
        _ = finish("a", .success(["3"]), at: 107)
        #expect(ask("a", at: 116) == "3")
        #expect(ask("a", at: 117) == "waits")
    }

    @Test("drops a look-up that nobody waits for, unless it has begun")
    mutating func withdraw() {
        _ = ask("a", 1)
        _ = table.next()
        _ = ask("b", 2)
        _ = ask("b", 3)
        table.withdraw(1, from: "a")
        table.withdraw(2, from: "b")
        table.withdraw(2, from: "b")
        table.withdraw(9, from: "c")
        #expect(finish("a", .success(["1"])).isEmpty)
        #expect(ask("a") == "1", "what was begun is of use")
        table.withdraw(3, from: "b")
        #expect(table.next() == nil)
    }

    @Test("forgets the addresses of the look-up that proved bad, and not newer ones")
    mutating func forget() throws {
        _ = ask("a")
        _ = table.next()
        let (_, first) = table.finish("a", .success(["1"]), at: time(0))
        table.forget("a", lookUp: try first.get().lookUp)
        #expect(ask("a") == "starts a thread")
        _ = table.next()
        _ = finish("a", .success(["2"]))
        table.forget("a", lookUp: try first.get().lookUp)
        #expect(ask("a") == "2")
    }

    @Test("fails all who wait where no thread can be had, and nobody as long as there is one")
    mutating func noThread() {
        _ = ask("a", 1)
        _ = ask("b", 2)
        #expect(table.threadFailed().isEmpty)
        #expect(table.threadFailed().map(\.ticket) == [1, 2])
        #expect(table.threads == 0)
        #expect(ask("a") == "starts a thread")
    }

    @Test("remembers a bounded number of names and addresses")
    mutating func bounds() {
        for number in 0..<2000 {
            _ = ask("\(number)", lifetime: 5000, at: UInt64(number))
            _ = table.next()
            _ = finish("\(number)", .success((0..<200).map { "\($0)" }), at: UInt64(number))
        }
        #expect(ask("1999", lifetime: 5000, at: 2000).split(separator: " ").count == 64)
        #expect(
            ask("900", lifetime: 5000, at: 2000) == "starts a thread" || ask("900", lifetime: 5000, at: 2000) == "waits"
        )
    }
}

@Suite("The history of addresses")
struct AddressHistoryTests {
    private var history = AddressHistory()
    private let second: UInt64 = 1_000_000_000

    private func time(_ seconds: Double) -> MonotonicTime { MonotonicTime(nanoseconds: UInt64(seconds * 1e9)) }

    private func order(_ addresses: String..., at seconds: Double) -> String {
        history.inOrder(addresses, port: 80, at: time(seconds)).joined(separator: " ")
    }

    private func address(_ host: String, _ port: UInt16 = 80) -> AddressHistory.Address {
        .init(host: host, port: port)
    }

    @Test("puts what failed behind the others for ten minutes, what failed first before what failed last")
    mutating func failures() {
        #expect(order("a", "b", "c", at: 1) == "a b c")
        history.failed(address("a"), at: time(2))
        history.failed(address("b", 81), at: time(2))
        #expect(order("a", "b", "c", at: 2) == "b c a")
        history.failed(address("b"), at: time(3))
        #expect(order("a", "b", "c", at: 3) == "c a b")
        #expect(order("b", "a", at: 3) == "a b")
        #expect(order("a", "b", "c", at: 602.5) == "a c b")
        #expect(order("a", "b", "c", at: 604) == "a b c")
        history.connected(address("b"))
        #expect(order("a", "b", "c", at: 4) == "b c a")
    }

    /// RFC 8305, 4.
    @Test("lets the families take turns, beginning with that of the first")
    mutating func families() {
        #expect(order("1:", "2:", "3:", "a", "b", at: 1) == "1: a 2: b 3:")
        #expect(order("a", "b", "1:", at: 1) == "a 1: b")
        history.failed(address("1:"), at: time(1))
        #expect(order("1:", "2:", "a", "b", at: 1) == "2: a b 1:")
    }

    @Test("is bounded")
    mutating func bounded() {
        for number in 0..<5000 { history.failed(address("\(number)"), at: time(1)) }
        #expect(order("4999", "a", at: 1) == "a 4999")
    }
}

@Suite("A race of addresses")
struct RaceTests {
    private static let second: UInt64 = 1_000_000_000

    private func time(_ milliseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    private func race(_ addresses: String...) throws -> Race {
        let peer = try #require(NamedPeer(host: "many.test", port: 80))
        return Race(NameWaits.Opener(slot: 0, request: 0, peer: peer), addresses, lookUp: 1, at: time(0))
    }

    /// RFC 8305, 5.
    @Test("tries the next address after a quarter of a second, or when all before it have failed")
    func turns() throws {
        var race = try race("a", "b", "c")
        #expect(race.next(at: time(0))?.address == "a")
        race.began(1, "a", at: time(0))
        #expect(race.nextDue == time(250))
        #expect(race.next(at: time(249)) == nil)
        #expect(race.next(at: time(250))?.address == "b")
        race.began(2, "b", at: time(250))
        #expect(race.end(1, error: 111)?.address == "a")
        #expect(race.next(at: time(251)) == nil, "one is under way")
        #expect(race.end(2, error: 110)?.address == "b")
        #expect(race.next(at: time(251))?.address == "c")
        race.failed(101)
        #expect(race.isLost)
        #expect(race.nextDue == nil)
        #expect(race.error == 101)
        #expect(race.end(7, error: 0) == nil)
    }

    @Test("has a bounded number of sockets: the oldest gives way")
    func bounded() throws {
        var race = try race("a", "b", "c", "d", "e")
        for (number, address) in ["a", "b", "c", "d"].enumerated() {
            let next = race.next(at: time(UInt64(number) * 250))
            #expect(next?.address == address)
            #expect(next?.instead == nil)
            race.began(Int32(number), address, at: time(UInt64(number) * 250))
        }
        let next = race.next(at: time(1000))
        #expect(next?.address == "e")
        #expect(next?.instead?.address == "a")
        #expect(race.attempts.count == Race.mostAttempts - 1)
    }
}
