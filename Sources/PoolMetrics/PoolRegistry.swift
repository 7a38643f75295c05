import Synchronization

/// The measured pools that are alive, each under its name.
///
/// A process needs one, ``process``, which the endpoint reads. A pool is in it from when it is wrapped until its
/// shutdown has completed, or until nobody holds it any more.
public final class PoolRegistry: Sendable {
    /// The registry of the process.
    public static let process = PoolRegistry()

    /// The registry keeps no pool alive: a client that its owner dropped is gone from here too.
    private final class Entry: Sendable {
        let id: ObjectIdentifier
        weak let client: InstrumentedClient?

        init(_ client: InstrumentedClient) {
            self.id = ObjectIdentifier(client)
            self.client = client
        }
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// An empty registry, for a test or for pools that are to be shown apart.
    public init() {}

    /// A reading of every pool, sorted by name.
    public func readings() -> [PoolReading] {
        let clients = entries.withLock { $0.values.compactMap(\.client) }
        return clients.map { $0.reading() }.sorted { $0.name < $1.name }
    }

    /// Takes a name for a client.
    ///
    /// The weak reference is not looked at here, nor in ``remove(_:)``: that would hold the client for a moment, and
    /// if it was let go in this moment, its `deinit` would want the lock that is held.
    ///
    /// - Throws: ``PoolNameError`` if a living client has it.
    func add(_ client: InstrumentedClient) throws {
        try entries.withLock { entries in
            guard entries[client.name] == nil else { throw PoolNameError(name: client.name, problem: .taken) }
            entries[client.name] = Entry(client)
        }
    }

    /// Frees the name of a client. Another client that has taken it since keeps it.
    func remove(_ client: InstrumentedClient) {
        let id = ObjectIdentifier(client)
        entries.withLock { entries in
            if entries[client.name]?.id == id { entries[client.name] = nil }
        }
    }
}
