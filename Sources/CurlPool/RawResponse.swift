import HTTPPool
import HTTPTypes
import Unpacking

/// A response as the driver hands it over: bytes, to be read on the caller's side.
struct RawResponse: Sendable {
    /// The status line and the fields of the response, and what has come of the body. Whoever has the response gives the
    /// buffer back.
    let buffer: ResponseBuffer?
    /// Where the rest of the body comes from, of a response that was handed over before its end.
    let stream: ResponseStream?

    /// Reads the status line and checks the fields, which are read when somebody asks for them; and gives the buffer back.
    ///
    /// - Parameters:
    ///   - rest: where the body comes from, unless it has come.
    ///   - unpacking: how the body is unpacked, where codings were asked for.
    func parsed(
        from origin: Origin,
        rest: ResponseReader? = nil,
        unpacking: UnpackingOrder? = nil
    ) throws(PoolError) -> PooledResponse {
        buffer?.accept()
        defer { buffer?.giveBack() }
        let bytes = rest == nil ? buffer?.takeBody() ?? [] : []
        let block: HeaderBlock
        do throws(HeaderBlock.Malformed) {
            block = try HeaderBlock(buffer?.copyHead() ?? [], unpacks: unpacking != nil)
        } catch {
            throw PoolError(.invalidResponse, error.reason, origin: origin, phase: .exchange)
        }
        let body: HTTPResponseBody
        if let unpacking, !block.codings.isEmpty, rest != nil || !bytes.isEmpty {
            do throws(UnpackingError) {
                let reader = try UnpackingReader(block.codings, packed: bytes, rest: rest, order: unpacking)
                body = HTTPResponseBody(source: reader)
            } catch {
                throw PoolError(error, unpacking)
            }
        } else {
            body = rest.map { HTTPResponseBody(source: $0) } ?? HTTPResponseBody(bytes: bytes)
        }
        return PooledResponse(status: block.status, head: block, body: body)
    }
}
