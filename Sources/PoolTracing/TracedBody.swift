import HTTPPool

/// The body of a response, which ends the span of its request when it ends, fails, is discarded or released.
final class TracedBody: ResponseBodySource {
    private let source: any ResponseBodySource
    private let span: RequestSpan

    init(_ source: any ResponseBodySource, _ span: RequestSpan) {
        self.source = source
        self.span = span
    }

    /// Releasing the body ends the request, and the release is where the caller did it: no clean-up comes later.
    deinit { span.end() }

    func next() async throws -> [UInt8]? {
        do {
            let chunk = try await source.next()
            if chunk == nil { span.end() }
            return chunk
        } catch {
            failed(error)
            throw error
        }
    }

    func collect(upTo limit: Int) async throws -> [UInt8] {
        do {
            let bytes = try await source.collect(upTo: limit)
            span.end()
            return bytes
        } catch {
            failed(error)
            throw error
        }
    }

    func discard() {
        source.discard()
        span.end()
    }

    private func failed(_ error: any Error) {
        // A second reader was refused, and the first one goes on.
        if (error as? PoolError)?.code == .invalidRequest { return }
        span.end(error)
    }
}
