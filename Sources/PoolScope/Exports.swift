/// One import for a service: the client, its shared instance, the endpoint, and the request and response types that they use.
@_exported public import CurlPool
@_exported public import HTTPPool
@_exported public import HTTPRetry
@_exported public import HTTPTypes
@_exported public import Logging
@_exported public import PoolEndpoint
@_exported public import PoolMetrics
@_exported public import PoolTracing
@_exported public import ServiceLifecycle
@_exported public import SharedPool
