import NIOCore
import PoolMetrics
import Testing

@testable import PoolEndpoint

@Suite("Which connection gives way, and which is overdue")
struct ConnectionTableTests {
    private let later = NIODeadline.uptimeNanoseconds(1000)

    @Test("the one that is kept gives way first, then one without a whole request, then one with a response on its way")
    func phases() {
        var table = ConnectionTable(limit: 3)
        #expect([1, 2, 3].compactMap { table.open($0, deadline: later) } == [])
        table.move(1, to: .responding)
        table.move(3, to: .kept)
        #expect(table.open(4, deadline: later) == 3)
        #expect(table.open(5, deadline: later) == 2)
        #expect(table.open(6, deadline: later) == 4)
        table.move(5, to: .responding)
        table.move(6, to: .responding)
        #expect(table.open(7, deadline: later) == 1)
        #expect(table.count == 3)
    }

    @Test("within a phase, the one that has been in it for longest gives way, whatever arrives on it meanwhile")
    func longest() {
        var table = ConnectionTable(limit: 3)
        for id: UInt64 in [1, 2, 3] { _ = table.open(id, deadline: later) }
        for id: UInt64 in [2, 1, 3] { table.move(id, to: .kept) }
        table.move(2, to: .kept, deadline: later)
        #expect(table.open(4, deadline: later) == 2)
        table.move(1, to: .responding)
        table.move(1, to: .kept)
        #expect(table.open(5, deadline: later) == 3)
    }

    @Test("a connection that has closed makes room")
    func room() {
        var table = ConnectionTable(limit: 1)
        #expect(table.open(1, deadline: later) == nil)
        table.close(1)
        #expect(table.open(2, deadline: later) == nil)
        table.move(1, to: .kept)
        #expect(table.count == 1)
    }

    @Test("a deadline holds across phases until there is a new one")
    func deadlines() {
        var table = ConnectionTable(limit: 9)
        _ = table.open(1, deadline: .uptimeNanoseconds(10))
        _ = table.open(2, deadline: .uptimeNanoseconds(20))
        table.move(1, to: .responding)
        #expect(table.nextDeadline == .uptimeNanoseconds(10))
        table.move(2, to: .kept, deadline: .uptimeNanoseconds(5))
        #expect(table.expire(at: .uptimeNanoseconds(4)) == [])
        #expect(table.expire(at: .uptimeNanoseconds(5)) == [2])
        #expect(table.expire(at: .uptimeNanoseconds(30)) == [1])
        #expect(table.nextDeadline == nil && table.count == 0)
    }

    @Test("refusals are logged once at first, and then with their number, once a minute for each reason")
    func log() {
        var log = RefusalLog(interval: .seconds(60))
        let start = NIODeadline.uptimeNanoseconds(1)
        #expect(log.count(.host, at: start) == 1)
        #expect(log.count(.deadline, at: start) == 1)
        for second: Int64 in 1...59 { #expect(log.count(.host, at: start + .seconds(second)) == nil) }
        #expect(log.count(.host, at: start + .seconds(60)) == 60)
        #expect(log.count(.host, at: start + .seconds(61)) == nil)
        #expect(log.count(.host, at: start + .seconds(121)) == 2)
    }

    @Test("the date is in the form of the specification")
    func date() {
        var date = HTTPDateText()
        #expect(date.at(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(date.at(1_709_164_800) == "Thu, 29 Feb 2024 00:00:00 GMT")
    }
}
