import PoolMetrics
import Synchronization

/// What an endpoint counts about itself.
final class EndpointCounters: Sendable {
    private let reading = Mutex(EndpointReading())

    var current: EndpointReading { reading.withLock { $0 } }

    func responded(_ page: EndpointReading.Page, _ code: Int) {
        reading.withLock { $0.responses[EndpointReading.Response(page, code), default: 0] += 1 }
    }

    func refused(_ refusal: EndpointReading.Refusal) { reading.withLock { $0.refused[refusal, default: 0] += 1 } }

    func scraped(seconds: Double, bytes: Int) {
        reading.withLock { ($0.scrapeSeconds, $0.scrapeBytes) = (seconds, bytes) }
    }

    func setConnections(_ count: Int) { reading.withLock { $0.connections = count } }
}
