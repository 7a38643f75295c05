import Foundation

/// The first page of an endpoint, as far as the tool reads it.
///
/// Keys that later releases add are ignored. Most keys are optional, so that a page of another release is shown as far as
/// it goes.
struct StatusPage: Decodable, Sendable {
    struct Process: Decodable, Sendable {
        let host: String?
        let pid: Int32?
        let uptimeSeconds: Double?
    }

    struct Verdict: Decodable, Sendable {
        struct Row: Decodable, Sendable {
            let label: String
            let text: String
        }

        let kind: String
        let severity: String
        let pool: String?
        let origin: String?
        let headline: String
        let summary: String?
        let rows: [Row]?
    }

    /// `nil` where the client does not report its connections.
    struct Connections: Decodable, Sendable {
        let active: Int?
        let idle: Int?
        let connecting: Int?
        let limit: Int?
    }

    struct Requests: Decodable, Sendable {
        let queued: Int
        let connecting: Int
        let inFlight: Int
    }

    /// A cell of a chart: ten seconds.
    struct Cell: Decodable, Sendable {
        let queuedPeak: Int
        let activePeak: Int?
        let medianSeconds: Double?
    }

    struct OriginRow: Decodable, Sendable {
        let origin: String
        let connections: Connections
        let requests: Requests
        let oldestQueuedSeconds: Double?
        let respondsInSeconds: Double?
        let usualSeconds: Double?
        let requestsPerSecond: Double?
        let failuresPerSecond: Double?
        let findings: [String]?
    }

    struct SiteRow: Decodable, Sendable {
        let site: String
        let requests: Requests
        let acquiresPerSecond: Double?
        let failuresPerSecond: Double?
        let holdsForSeconds: Double?
    }

    struct Pool: Decodable, Sendable {
        let pool: String
        let hasEnded: Bool?
        let connections: Connections
        let requests: Requests
        let oldestQueuedSeconds: Double?
        let reuseRatio: Double?
        let lastTenMinutes: [Cell]?
        let origins: [OriginRow]?
        let sites: [SiteRow]?
    }

    let at: String?
    let process: Process?
    let severity: String
    let verdicts: [Verdict]
    let pools: [Pool]

    /// The pools that were not shut down.
    var livePools: [Pool] { pools.filter { $0.hasEnded != true } }
}

/// What every page begins with.
struct StatusFrame: Decodable {
    /// The highest version that this tool can read. A test compares it with the version that the endpoint writes.
    static let knownVersion = 1

    let schema: String
    let version: Int

    /// Decodes a page of an endpoint.
    ///
    /// - Parameter name: the last part of the schema, such as `status`.
    /// - Throws: ``StatusFailure``. Its text contains nothing of the page.
    static func decode<Page: Decodable>(_ type: Page.Type, _ name: String, _ bytes: [UInt8]) throws(StatusFailure)
        -> Page
    {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = Data(bytes)
        guard let frame = try? decoder.decode(StatusFrame.self, from: data) else {
            throw StatusFailure("the response is not JSON of a PoolScope endpoint")
        }
        guard frame.schema == "poolscope/\(name)" else {
            throw StatusFailure("the response has another schema than poolscope/\(name)")
        }
        guard (1...knownVersion).contains(frame.version) else {
            throw StatusFailure(
                "the page has version \(frame.version); this poolscope reads versions up to \(knownVersion)"
            )
        }
        do {
            return try decoder.decode(Page.self, from: data)
        } catch {
            throw StatusFailure("the response lacks a key of poolscope/\(name), version \(frame.version)")
        }
    }
}
