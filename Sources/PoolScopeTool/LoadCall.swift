import HTTPPool
import HTTPTypes

/// One request of the load, with its call site.
struct LoadCall: Sendable {
    let site: CallSite
    let request: HTTPRequest
    let body: HTTPRequestBody
}
