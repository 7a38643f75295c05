import HTTPPool
import Tracing

extension ResponseConnection {
    /// What a span says of the connection: the attributes of OpenTelemetry, and some that its conventions do not have.
    func set(in attributes: inout SpanAttributes) {
        if let httpVersion { attributes.set("network.protocol.version", value: .string(httpVersion)) }
        if let peer {
            attributes.set("network.peer.address", value: .string(peer.address))
            attributes.set("network.peer.port", value: .int64(Int64(peer.port)))
        }
        attributes.set("http_client_pool.acquire.kind", value: .string(kind.rawValue))
        attributes.set("http_client_pool.acquire.wait", value: .double(waited.inSeconds))
        if let opening { attributes.set("http_client_pool.connect.duration", value: .double(opening.inSeconds)) }
    }
}

extension PoolError {
    /// What a span says of a failure: the phase, and the wait if it was all that there was.
    func set(in attributes: inout SpanAttributes) {
        attributes.set("http_client_pool.phase", value: .string(phase.rawValue))
        guard phase == .acquire || phase == .connect, let elapsed else { return }
        attributes.set("http_client_pool.acquire.wait", value: .double(elapsed.inSeconds))
    }
}
