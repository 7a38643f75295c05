import HTTPPool
import HTTPTypes
import Unpacking

/// A response as delivered by the driver: unparsed, to be parsed on the caller's side.
struct RawResponse: Sendable {
    /// The status line and fields of the response, and the body received so far. The owner of the response returns
    /// the buffer.
    let buffer: ResponseBuffer?
    /// The source of the rest of the body, if the response was delivered before its end.
    let stream: ResponseStream?

    /// Makes what the driver wrote visible: called before the first read of it, the exchange's acquisition included.
    func accept() { buffer?.accept() }

    /// Parses the status line and validates the fields, which are parsed on first access. Returns the buffer to the
    /// driver.
    ///
    /// - Parameters:
    ///   - rest: the source of the body, unless it is in the buffer.
    ///   - unpacking: how the body is unpacked, if codings were asked for.
    ///   - acquired: how the request got its connection, if that is known.
    ///   - submitted: when it was submitted.
    /// - Precondition: ``accept()`` was called, if another thread wrote the response.
    /// - Throws: ``PoolError`` with code `invalidResponse`, or as unpacking fails.
    func parsed(
        from origin: Origin,
        rest: ResponseReader? = nil,
        unpacking: UnpackingOrder? = nil,
        acquired: Acquisition? = nil,
        submitted: MonotonicTime = MonotonicTime(nanoseconds: 0)
    ) throws(PoolError) -> PooledResponse {
        defer { buffer?.giveBack() }
        let bytes = rest == nil ? buffer?.takeBody() ?? [] : []
        let block: HeaderBlock
        do throws(HeaderBlock.Malformed) {
            block = try HeaderBlock(
                buffer?.copyHead() ?? [],
                unpacks: unpacking != nil,
                acquired: acquired,
                submitted: submitted
            )
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
