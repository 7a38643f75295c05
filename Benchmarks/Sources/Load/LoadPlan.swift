/// How much is asked of a peer, and what a right answer is.
public struct LoadPlan: Sendable {
    /// Requests in flight at once.
    public var concurrency: Int
    /// Requests that are measured.
    public var requests: Int
    /// Requests that are sent before, and not measured.
    public var warmup: Int
    /// Bytes that every body must have.
    public var bytes: Int

    /// Says all four.
    public init(concurrency: Int, requests: Int, warmup: Int, bytes: Int) {
        self.concurrency = concurrency
        self.requests = requests
        self.warmup = warmup
        self.bytes = bytes
    }
}

extension LoadPlan {
    /// Sends the warm-up, then measures.
    ///
    /// - Throws: what the peer throws, or ``WrongAnswer`` at the first answer that is not a whole 200.
    public func measure(_ peer: some Peer, named client: String) async throws -> LoadReport {
        _ = try await send(warmup, to: peer)
        let start = ProcessUsage.now()
        let latencies = try await send(requests, to: peer)
        let end = ProcessUsage.now()
        return LoadReport(
            client: client,
            requests: requests,
            from: start,
            to: end,
            latencies: latencies.flatMap(\.self)
        )
    }

    /// One task for each request in flight; each sends its share one after the other.
    public func send(_ requests: Int, to peer: some Peer) async throws -> [[UInt64]] {
        try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for task in 0..<concurrency {
                let share = requests / concurrency + (task < requests % concurrency ? 1 : 0)
                group.addTask { try await send(inTurn: share, to: peer) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func send(inTurn requests: Int, to peer: some Peer) async throws -> [UInt64] {
        var latencies: [UInt64] = []
        latencies.reserveCapacity(requests)
        for _ in 0..<requests {
            let start = ProcessUsage.clock()
            let answer = try await peer.get()
            guard answer.status == 200, answer.bytes == bytes else {
                throw WrongAnswer(status: answer.status, bytes: answer.bytes)
            }
            latencies.append(ProcessUsage.clock() - start)
        }
        return latencies
    }
}

/// An answer that is not the one that the plan says.
public struct WrongAnswer: Error, CustomStringConvertible {
    let status: Int
    let bytes: Int

    /// The status and the size.
    public var description: String { "wrong answer: status \(status), \(bytes) bytes" }
}
