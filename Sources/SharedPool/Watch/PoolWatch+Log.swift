import HTTPPool
import Logging
import PoolMetrics

extension PoolWatch.Line {
    /// Writes the line, at level warning. Origin and call site are labels of metrics, which contain no secrets.
    func log(to logger: Logger, pool: String) {
        switch self {
        case .saturated(let limit, let value, let queued):
            logger.warning(
                "saturated: \(limit.cause(value))",
                metadata: ["pool": "\(pool)", "limit": "\(limit.rawValue)", "queued": "\(queued)"]
            )
        case .relieved(let limit, let lasted, let waited, let unreported):
            var metadata: Logger.Metadata = [
                "pool": "\(pool)", "limit": "\(limit.rawValue)", "seconds": "\(lasted.inSeconds)",
                "waited": "\(waited)",
            ]
            if unreported > 0 { metadata["unreported"] = "\(unreported)" }
            logger.warning(
                "no longer saturated: after \(lasted.inSeconds) s, in which \(waited.of("request")) had to wait",
                metadata: metadata
            )
        case .overdue(let lease, let origin):
            let isOurs = lease.phase == .heldByCaller
            logger.warning(
                "overdue lease: no byte has moved for \(lease.still.inSeconds) s; \(isOurs ? "our own code" : "the peer") is to move the next one",
                metadata: [
                    "pool": "\(pool)", "origin": "\(origin)", "site": "\(lease.site)",
                    "phase": "\(lease.phase.rawValue)", "age": "\(lease.age.inSeconds)",
                ]
            )
        case .moreOverdue(let count):
            logger.warning("overdue leases: \(count) more", metadata: ["pool": "\(pool)"])
        }
    }
}

extension PoolLimit {
    fileprivate func cause(_ value: Int?) -> String {
        switch self {
        case .connections: "all \(value.map { "\($0) " } ?? "")connections are taken"
        case .connectionsPerOrigin: "an origin has all \(value.map { "\($0) " } ?? "")connections that it may have"
        case .streams: "the peer allows no further request on an HTTP/2 connection"
        }
    }
}

extension UInt64 {
    /// Nanoseconds as seconds with one decimal place.
    fileprivate var inSeconds: Double { (Double(self) / 1e8).rounded() / 10 }
}
