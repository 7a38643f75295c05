package import HTTPTypes

/// How a response is handled.
package enum RedirectDecision: Sendable {
    /// Return the response to the caller.
    case answer
    /// Send this request next.
    case follow(HTTPRequest, HTTPRequestBody)
}

extension RedirectPolicy {
    /// Decides whether a redirect is followed, and with which request (RFC 9110, 15.4).
    ///
    /// - Parameters:
    ///   - answer: the response head.
    ///   - request: the request that was sent.
    ///   - body: the body that was sent with it.
    ///   - followed: the number of redirects followed before `request`.
    /// - Throws: ``PoolError`` with code `tooManyRedirects` or `redirectRefused`. The error text does not contain
    ///   the URL.
    package func decision(
        on answer: HTTPResponse,
        to request: HTTPRequest,
        body: HTTPRequestBody,
        followed: Int
    ) throws(PoolError) -> RedirectDecision {
        guard case .follow(let limit) = self, [301, 302, 303, 307, 308].contains(answer.status.code) else {
            return .answer
        }
        let locations = answer.headerFields[fields: .location]
        guard let location = locations.first else { return .answer }
        let origin = try Origin(scheme: request.scheme, authority: request.authority)
        guard followed < limit else { throw .tooManyRedirects(followed, from: origin) }
        guard locations.count == 1 else {
            throw .redirectRefused("the response has more than one Location field", from: origin)
        }
        let (next, isElsewhere) = try Self.target(of: location, seenFrom: request, at: origin)

        var redirected = request
        (redirected.scheme, redirected.authority, redirected.path) = (next.scheme, next.authority, next.target)
        redirected.method = Self.method(after: answer.status.code, instead: request.method)
        let dropsBody = answer.status.code == 303 || redirected.method != request.method
        guard dropsBody || body.isReplayable else {
            throw .redirectRefused("the request body cannot be sent again", from: origin)
        }
        if isElsewhere || dropsBody {
            redirected.headerFields.removeAll { field in
                let name = field.name.canonicalName
                return isElsewhere && HTTPFields.boundToOrigin.contains(name)
                    || dropsBody && (name.hasPrefix("content-") || Self.boundToBody.contains(name))
            }
        }
        return .follow(redirected, dropsBody ? .none : body)
    }

    /// The target of a redirect, and whether it is another origin.
    private static func target(
        of location: HTTPField,
        seenFrom request: HTTPRequest,
        at origin: Origin
    ) throws(PoolError) -> (URIReference, isElsewhere: Bool) {
        // The raw bytes, because `value` replaces invalid UTF-8.
        let bytes = location.withUnsafeBytesOfValue { Array($0) }
        guard !bytes.isEmpty, let reference = URIReference(bytes) else {
            throw .redirectRefused("the Location field is invalid", from: origin)
        }
        let base = URIReference(scheme: request.scheme, authority: request.authority, target: request.path ?? "/")
        var next = reference.resolved(against: base)
        let scheme = next.scheme?.lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw .redirectRefused("the target's scheme is neither http nor https", from: origin)
        }
        guard !(next.authority ?? "").utf8.contains(UInt8(ascii: "@")) else {
            throw .redirectRefused("the target contains a user name or password", from: origin)
        }
        // RFC 3986 allows an empty port, which means the scheme's default.
        if next.authority?.utf8.last == UInt8(ascii: ":") { next.authority?.removeLast() }
        let target: Origin
        do {
            target = try Origin(scheme: scheme, authority: next.authority)
        } catch {
            throw .redirectRefused("the target is invalid: \(error.reason)", from: origin)
        }
        guard origin.scheme != "https" || target.scheme == "https" else {
            throw .redirectRefused("the target downgrades https to http", from: origin)
        }
        return (next, target != origin)
    }

    /// After 301 and 302 a POST becomes a GET, which is what clients do in practice (RFC 9110, 15.4.2).
    private static func method(after status: Int, instead method: HTTPRequest.Method) -> HTTPRequest.Method {
        switch status {
        case 301, 302: method == .post ? .get : method
        case 303: method == .head ? .head : .get
        default: method
        }
    }

    /// Fields that describe a body, in addition to those that start with `content-`.
    private static let boundToBody: Set = [
        "digest", "expect", "last-modified", "repr-digest", "trailer", "transfer-encoding",
    ]
}

extension PoolError {
    fileprivate static func tooManyRedirects(_ followed: Int, from origin: Origin) -> PoolError {
        PoolError(
            .tooManyRedirects,
            "the redirect limit of \(followed) is reached",
            origin: origin,
            phase: .exchange
        )
    }

    fileprivate static func redirectRefused(_ reason: String, from origin: Origin) -> PoolError {
        PoolError(.redirectRefused, "redirect refused: \(reason)", origin: origin, phase: .exchange)
    }
}

extension HTTPFields {
    /// Fields that must not be sent to another origin: credentials, and an explicit `Host`.
    static let boundToOrigin: Set = ["authorization", "cookie", "host", "proxy-authorization"]

    /// The fields that may be sent to an origin through a proxy.
    package var withoutProxyCredentials: HTTPFields {
        contains(.proxyAuthorization) ? filter { $0.name != .proxyAuthorization } : self
    }

    /// The fields that may be sent to another origin.
    package var withoutCredentials: HTTPFields { filter { !Self.boundToOrigin.contains($0.name.canonicalName) } }
}
