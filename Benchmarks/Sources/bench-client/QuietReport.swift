/// The cost of one busy request beside none, some and many that stand still.
struct QuietReport: Encodable {
    struct Step: Encodable {
        /// Requests that stood still meanwhile.
        let standing: Int
        /// CPU time of the whole process for each request of the busy one.
        let cpuMicrosecondsPerRequest: Double

        enum CodingKeys: String, CodingKey {
            case standing
            case cpuMicrosecondsPerRequest = "cpu_us_per_request"
        }
    }

    /// They stood on connections of their own, without an answer.
    let streams: [Step]
    /// They stood on connections of their own, in the middle of a body that was being read.
    let bodies: [Step]
    /// They stood in the queue of another origin that is at its own limit.
    let queued: [Step]
}
