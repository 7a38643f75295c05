import CLibcurl
import HTTPPool
import PoolDecisions

/// One connection of the pool in libcurl's terms: a share object, whose cache holds exactly this connection, and the
/// transfers on it.
///
/// A cache of its own makes the connection visible and steerable: dropping the share closes exactly this connection,
/// and only this slot's requests can be sent on it. The slot belongs to the driver's thread, which is why accesses are
/// not checked for overlap (see ``CurlDriver``).
final class CurlSlot {
    let id: SlotID
    /// The transfer that opens the connection, and on HTTP/1.1 carries all its requests. A slot that has been idle for a
    /// while has none.
    @exclusivity(unchecked) private(set) var transfer: CurlTransfer?
    /// Further transfers on a connection that carries several.
    @exclusivity(unchecked) private(set) var others: [CurlTransfer] = []
    @exclusivity(unchecked) private(set) var share: UnsafeMutableRawPointer?

    /// The descriptor of the connection, from the moment it is known until it is closed.
    @exclusivity(unchecked) var connection: Int32?
    /// Whether TLS is spoken on it, with the origin or with a proxy.
    @exclusivity(unchecked) var speaksTLS = false
    /// The TLS library's context of the connection, where its closing alert is reported, and whether it has come.
    @exclusivity(unchecked) var secureContext: UnsafeMutableRawPointer?
    @exclusivity(unchecked) var saidClose = false
    /// Whether the connection carries several requests at once.
    @exclusivity(unchecked) var isMultiplexed = false
    /// The driver's last poll of all sockets before its last transfer ended.
    @exclusivity(unchecked) var idleSincePoll = 0
    /// When its last transfer ended.
    @exclusivity(unchecked) var idleSince = MonotonicTime(nanoseconds: 0)

    /// How often in a row its connection could be written to, and nothing of a body was.
    @exclusivity(unchecked) var fruitlessWrites = 0

    init(id: SlotID) { self.id = id }

    /// Whether libcurl has a transfer of the slot.
    var isRunning: Bool { transfer?.isRunning == true || !others.isEmpty }

    /// How many transfers of the slot libcurl has.
    var runningCount: Int { others.count + (transfer?.isRunning == true ? 1 : 0) }

    /// Whether there are requests on the connection, and none of them listens to the peer.
    var isHeld: Bool {
        isRunning && transfer.map { !$0.isRunning || !$0.isReceiving } ?? true && others.allSatisfy { !$0.isReceiving }
    }

    /// How many bytes its present requests' bodies have got on their way.
    var uploadedBytes: Int {
        others.reduce(transfer.map { $0.isRunning ? $0.uploadedBytes : 0 } ?? 0) { $0 + $1.uploadedBytes }
    }

    /// Whether bodies are on their way.
    var isUploading: Bool {
        let isUploading = { (transfer: CurlTransfer) in
            transfer.isRunning && transfer.wasSent && transfer.exchange?.isUploading == true
        }
        return transfer.map(isUploading) == true || others.contains(where: isUploading)
    }

    /// The one exchange of a connection that carries one at a time.
    var soleExchange: Exchange? { isMultiplexed ? nil : transfer?.exchange }

    /// Makes this the slot's own transfer, and a cache for its connection where there is none.
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

    /// Gives up the slot's own transfer, which does not run. The connection stays in the cache.
    func giveUpTransfer() -> CurlTransfer? {
        defer { transfer = nil }
        transfer?.detach()
        return transfer
    }

    /// Takes another transfer onto the connection.
    ///
    /// - Returns: whether libcurl took it.
    func add(_ transfer: CurlTransfer) -> Bool {
        guard let share, transfer.attach(to: share) else { return false }
        transfer.slot = self
        others.append(transfer)
        return true
    }

    /// The transfer, which does not run any more, leaves the connection.
    func remove(_ transfer: CurlTransfer) {
        guard transfer !== self.transfer, let index = others.firstIndex(where: { $0 === transfer }) else { return }
        others.remove(at: index)
        transfer.detach()
    }

    /// Closes the slot's connection, if it has one. No transfer may be on it any more, not even at rest.
    func dropConnection() {
        assert(transfer == nil && others.isEmpty, "no transfer is on the connection")
        guard let share else { return }
        // The socket is closed inside this call.
        let code = curl_share_cleanup(share)
        assert(code == CURLSHE_OK, "nobody else holds the cache")
        self.share = nil
        // libcurl 7.88 does not tell of a socket that never connected.
        connection = nil
        secureContext = nil
        isMultiplexed = false
    }
}
