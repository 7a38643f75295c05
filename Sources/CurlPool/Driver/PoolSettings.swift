import HTTPPool
import Synchronization

/// The configuration in force. Changed by the driver, read by any thread.
final class PoolSettings: Sendable {
    private struct State {
        var configuration: PoolConfiguration
        /// The timeouts of requests that do not set their own, converted once.
        var defaults: RequestDefaults
    }
    private let state: Mutex<State>

    init(_ configuration: PoolConfiguration) {
        state = Mutex(State(configuration: configuration, defaults: RequestDefaults(configuration.timeouts)))
    }

    var configuration: PoolConfiguration {
        get { state.withLock { $0.configuration } }
        set {
            state.withLock { state in
                state.configuration = newValue
                state.defaults = RequestDefaults(newValue.timeouts)
            }
        }
    }

    var defaults: RequestDefaults { state.withLock { $0.defaults } }
}
