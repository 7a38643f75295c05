import LoopbackUpstream
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import PoolEndpoint

@Suite("Heads that nobody meant to send")
struct HeadFuzzTests {
    private static let seeds = [
        "GET /metrics?name[]=a HTTP/1.1\r\nHost: localhost:9464\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n",
        "GET http://localhost/%6detrics HTTP/1.1\r\nHost: [::1]:9464\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HEAD /-/healthy HTTP/1.1\nHost: 127.0.0.1\nExpect: 100-continue\n\nCONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ]

    /// A request with some bytes changed, repeated, removed or moved; now and then random bytes only.
    private static func text(_ random: inout SeededNumbers) -> [UInt8] {
        if random.next() % 8 == 0 {
            return (0..<Int(random.next() % 200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
        var bytes = Array(seeds[Int(random.next() % UInt64(seeds.count))].utf8)
        let marks = Array("\r\n :%/[]@#?,\u{0}\t".utf8)
        for _ in 0..<(1 + random.next() % 6) {
            let place = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 5 {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.insert(marks[Int(random.next() % UInt64(marks.count))], at: place)
            case 2: bytes.remove(at: place)
            case 3: bytes += bytes[place...].prefix(Int(random.next() % 4000))
            default: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 20)))
            }
            if bytes.isEmpty { return bytes }
        }
        return bytes
    }

    @Test("are cut, parsed and judged without a trap, and use up what they were given", arguments: 0..<8)
    func judged(seed: UInt64) throws {
        var random = SeededNumbers(seed: seed)
        var (admitted, refused) = (0, 0)
        for _ in 0..<2500 {
            var buffer = HeadBuffer()
            let text = Self.text(&random)
            var rest = text[...]
            do throws(HeadFault) {
                while !rest.isEmpty {
                    let size = 1 + Int(random.next() % 300)
                    buffer.append(rest.prefix(size))
                    rest = rest.dropFirst(size)
                    while let head = try buffer.next() {
                        _ = try RequestGate(hosts: .loopback(as: [])).admit(try RequestHead(head))
                        admitted += 1
                    }
                }
            } catch {
                #expect((400..<600).contains(error.status.code) && !error.reason.contains("\n"))
                refused += 1
            }
        }
        #expect(admitted > 100 && refused > 100, "so both were seen: \(admitted), \(refused)")
    }

    @Test("get a response, or the end of the connection, from a real endpoint")
    func served() async throws {
        try await withEndpoint(allowance: Allowance(request: .milliseconds(200), idle: .milliseconds(200))) { address in
            try await onThread {
                var random = SeededNumbers(seed: 99)
                var statuses: Set<String> = []
                for _ in 0..<150 {
                    let connection = try RawConnection(port: address.port)
                    let text = Self.text(&random)
                    // The endpoint may have closed before all is sent.
                    try? connection.send(bytes: text)
                    if random.next() % 2 == 0 { connection.finishSending() }
                    // Throws if neither comes within ten seconds.
                    let response = try connection.readToEnd()
                    guard !response.isEmpty else { continue }
                    try check(response, begins: "HTTP/1.")
                    try check(response.contains("\r\nDate: "), response)
                    statuses.insert(String(response.prefix(12).suffix(3)))
                }
                try check(statuses.count > 2, "\(statuses)")
                let polite = try RawConnection(port: address.port)
                try polite.send("GET /-/healthy HTTP/1.0\r\n\r\n")
                try check(try polite.readToEnd().hasSuffix("ok\n"), "it serves others")
            }
        }
    }
}

/// SplitMix64: the same numbers for the same seed.
private struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
