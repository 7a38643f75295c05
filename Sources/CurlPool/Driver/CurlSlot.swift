import CLibcurl
import HTTPPool
import PoolDecisions

/// One connection of the pool in libcurl's terms: a share object whose cache holds exactly this connection, and the
/// transfers on it.
///
/// A cache per connection gives the pool control: dropping the share closes exactly this connection, and only this
/// slot's requests can be sent on it. Confined to the driver's thread, which is why accesses are not checked for
/// overlap (see ``CurlDriver``).
final class CurlSlot {
    let id: SlotID
    /// The transfer that opens the connection and, with HTTP/1.1, carries all its requests. `nil` once the slot has
    /// been idle for a while.
    @exclusivity(unchecked) private(set) var transfer: CurlTransfer?
    /// Further transfers on a multiplexed connection.
    @exclusivity(unchecked) private(set) var others: [CurlTransfer] = []
    @exclusivity(unchecked) private(set) var share: UnsafeMutableRawPointer?

    /// The descriptor of the connection, from when it is known until it is closed.
    @exclusivity(unchecked) var connection: Int32?
    /// Whether the connection uses TLS, with the origin or with a proxy.
    @exclusivity(unchecked) var speaksTLS = false
    /// The TLS library's context of the connection, if it reports closing alerts, and whether the alert has
    /// arrived.
    @exclusivity(unchecked) var secureContext: UnsafeMutableRawPointer?
    @exclusivity(unchecked) var saidClose = false
    /// Whether the connection carries several requests at once.
    @exclusivity(unchecked) var isMultiplexed = false
    /// The driver's poll count when the slot's last transfer ended.
    @exclusivity(unchecked) var idleSincePoll = 0
    /// When the slot's last transfer ended.
    @exclusivity(unchecked) var idleSince = MonotonicTime(nanoseconds: 0)

    /// How many times in a row the connection was writable without any upload progress.
    @exclusivity(unchecked) var fruitlessWrites = 0

    init(id: SlotID) { self.id = id }

    /// Whether any transfer of the slot is running in libcurl.
    var isRunning: Bool { transfer?.isRunning == true || !others.isEmpty }

    /// How many transfers of the slot are running in libcurl.
    var runningCount: Int { others.count + (transfer?.isRunning == true ? 1 : 0) }

    /// Whether there are requests on the connection and receiving is paused for all of them.
    var isHeld: Bool {
        isRunning && transfer.map { !$0.isRunning || !$0.isReceiving } ?? true && others.allSatisfy { !$0.isReceiving }
    }

    /// How many bytes of request bodies the running transfers have sent.
    var uploadedBytes: Int {
        others.reduce(transfer.map { $0.isRunning ? $0.uploadedBytes : 0 } ?? 0) { $0 + $1.uploadedBytes }
    }

    /// Whether any request's body is being sent.
    var isUploading: Bool {
        let isUploading = { (transfer: CurlTransfer) in
            transfer.isRunning && transfer.wasSent && transfer.exchange?.isUploading == true
        }
        return transfer.map(isUploading) == true || others.contains(where: isUploading)
    }

    /// The exchange of a connection that is not multiplexed.
    var soleExchange: Exchange? { isMultiplexed ? nil : transfer?.exchange }

    /// Makes `transfer` the slot's own, and creates the connection cache on first use.
    ///
    /// - Returns: whether libcurl had the memory.
    func take(_ transfer: CurlTransfer) -> Bool {
        if transfer === self.transfer { return true }
        if share == nil {
            guard let share = curl_share_init() else { return false }
            self.share = share
            guard poolscope_share_connections(share) == CURLSHE_OK else { return false }
        }
        guard let share, transfer.attach(to: share) else { return false }
        transfer.slot = self
        self.transfer = transfer
        return true
    }

    /// Detaches the slot's own transfer, which must not be running. The connection stays in the cache.
    func giveUpTransfer() -> CurlTransfer? {
        defer { transfer = nil }
        transfer?.detach()
        return transfer
    }

    /// Adds another transfer to the connection.
    ///
    /// - Returns: whether libcurl accepted it.
    func add(_ transfer: CurlTransfer) -> Bool {
        guard let share, transfer.attach(to: share) else { return false }
        transfer.slot = self
        others.append(transfer)
        return true
    }

    /// Removes a transfer, which must not be running, from the connection.
    func remove(_ transfer: CurlTransfer) {
        guard transfer !== self.transfer, let index = others.firstIndex(where: { $0 === transfer }) else { return }
        others.remove(at: index)
        transfer.detach()
    }

    /// Closes the slot's connection, if any. All transfers must have been detached, idle ones included.
    func dropConnection() {
        assert(transfer == nil && others.isEmpty, "no transfer is on the connection")
        guard let share else { return }
        // This call closes the socket.
        let code = curl_share_cleanup(share)
        assert(code == CURLSHE_OK, "no transfer uses the cache")
        self.share = nil
        // libcurl 7.88 does not report the close of a socket that never connected.
        connection = nil
        secureContext = nil
        isMultiplexed = false
    }
}
