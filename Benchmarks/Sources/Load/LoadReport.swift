/// What was measured, as every client program prints it: one line of JSON.
public struct LoadReport: Codable, Sendable {
    /// The client that was measured.
    public let client: String
    /// Requests that were measured.
    public let requests: Int
    /// How long they took together.
    public let seconds: Double
    /// CPU time of the whole process while they ran, divided by their number.
    public let cpuMicrosecondsPerRequest: Double
    /// The median latency, in microseconds.
    public let p50: Double
    /// The latency that 99 of 100 requests were below, in microseconds.
    public let p99: Double
    /// The most memory that the process ever had resident, in KiB.
    public let peakResidentKiB: Int
    /// Requests that failed. A client stops at the first, so a report never has any.
    public let errors: Int

    enum CodingKeys: String, CodingKey {
        case client, requests, seconds, errors
        case cpuMicrosecondsPerRequest = "cpu_us_per_request"
        case p50 = "p50_us"
        case p99 = "p99_us"
        case peakResidentKiB = "peak_rss_kib"
    }

    init(client: String, requests: Int, from start: ProcessUsage, to end: ProcessUsage, latencies: [UInt64]) {
        self.client = client
        self.requests = requests
        seconds = Double(end.nanoseconds - start.nanoseconds) / 1e9
        cpuMicrosecondsPerRequest = (end.cpuMicroseconds - start.cpuMicroseconds) / Double(requests)
        peakResidentKiB = ProcessUsage.peakResidentKiB()
        errors = 0
        let sorted = latencies.sorted()
        p50 = Self.percentile(50, of: sorted)
        p99 = Self.percentile(99, of: sorted)
    }

    private static func percentile(_ percent: Int, of sorted: [UInt64]) -> Double {
        sorted.isEmpty ? 0 : Double(sorted[min(sorted.count - 1, sorted.count * percent / 100)]) / 1000
    }
}
