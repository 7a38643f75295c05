import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics

/// The clients that send the load.
enum LoadClients: Sendable {
    /// One client for all requests: the recommended use.
    case shared(InstrumentedClient)
    /// One client per request, shut down after it: the mistake that PoolScope makes visible.
    case perRequest(PoolConfiguration)

    /// Sends a request and reads its response to the end.
    func send(_ call: LoadCall, worker: Int, ledger: LoadLedger) async -> LoadOutcome {
        do {
            switch self {
            case .shared(let client): return try await Self.exchange(call, on: client)
            case .perRequest(let configuration):
                let client = try InstrumentedClient(CurlClient(configuration), name: "per-request-\(worker)")
                let outcome: LoadOutcome
                do { outcome = try await Self.exchange(call, on: client) } catch { outcome = LoadOutcome(error) }
                await client.shutdown()
                let totals = PoolTotals(client.reading())
                ledger.update { $0.note(endOf: totals) }
                return outcome
            }
        } catch {
            return LoadOutcome(error)
        }
    }

    private static func exchange(_ call: LoadCall, on client: InstrumentedClient) async throws -> LoadOutcome {
        let options = RequestOptions(site: call.site)
        let response = try await client.execute(call.request, body: call.body, options: options)
        for try await _ in response.body {}
        return .answer(status: response.status.code)
    }
}
