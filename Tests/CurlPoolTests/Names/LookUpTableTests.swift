import HTTPPool
import Testing

@testable import CurlPool

@Suite("The table of look-ups")
struct LookUpTableTests {
    private var table = LookUpTable(maxThreads: 2)

    private func waiter(_ ticket: UInt64) -> LookUpTable.Waiter { LookUpTable.Waiter(ticket: ticket) { _ in } }

    private func time(_ nanoseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    private mutating func ask(_ name: String, _ ticket: UInt64 = 0, lifetime: UInt64 = 10, at now: UInt64 = 0) -> String {
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
        #expect(ask("a", lifetime: 0, at: 100) == "waits", "the thread has not ended")
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
        #expect(ask("a") == "waits")
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
        #expect(ask("900", lifetime: 5000, at: 2000) == "starts a thread" || ask("900", lifetime: 5000, at: 2000) == "waits")
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

    private func address(_ host: String, _ port: UInt16 = 80) -> AddressHistory.Address { .init(host: host, port: port) }

    @Test("puts what failed behind the others for ten minutes, what failed first before what failed last")
    mutating func failures() {
        #expect(order("a", "b", "c", at: 1) == "a b c")
        history.began(address("a"), at: time(1))
        history.ended(address("a"), connected: false, at: time(2))
        history.ended(address("b", 81), connected: false, at: time(2))
        #expect(order("a", "b", "c", at: 2) == "b c a")
        history.ended(address("b"), connected: false, at: time(3))
        #expect(order("a", "b", "c", at: 3) == "c a b")
        #expect(order("b", "a", at: 3) == "a b")
        #expect(order("a", "b", "c", at: 602.5) == "a c b")
        #expect(order("a", "b", "c", at: 604) == "a b c")
        history.ended(address("b"), connected: true, at: time(4))
        #expect(order("a", "b", "c", at: 4) == "b c a")
    }

    @Test("puts what has not connected for a quarter of a second behind the others, until one does")
    mutating func trying() {
        history.began(address("a"), at: time(1))
        history.began(address("a"), at: time(1.2))
        #expect(order("a", "b", at: 1.2) == "a b")
        #expect(order("a", "b", at: 1.25) == "b a")
        history.ended(address("a"), connected: nil, at: time(1.3))
        #expect(order("a", "b", at: 1.3) == "b a")
        history.ended(address("a"), connected: nil, at: time(1.3))
        #expect(order("a", "b", at: 1.3) == "a b")
        history.began(address("a"), at: time(2))
        history.began(address("a"), at: time(2))
        history.ended(address("a"), connected: true, at: time(3))
        #expect(order("a", "b", at: 3) == "a b")
    }
}
