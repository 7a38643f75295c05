import HTTPPool
import HTTPTypes

/// One request of the load, with the place that it comes from.
struct LoadCall: Sendable {
    let site: CallSite
    let request: HTTPRequest
    let body: HTTPRequestBody
}
