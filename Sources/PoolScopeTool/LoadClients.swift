import CurlPool
import HTTPPool
import HTTPTypes
import PoolMetrics

/// Where the load's requests get their client from.
enum LoadClients: Sendable {
    /// All from the same: the right way.
    case shared(InstrumentedClient)
    /// Each makes its own and shuts it down: the fault that PoolScope is there to show.
    case perRequest(PoolConfiguration)

    /// Sends a call and reads its answer to the end.
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
