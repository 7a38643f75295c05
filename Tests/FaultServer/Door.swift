import TestSupport

/// What a server does with a connection before there is any request on it.
package enum Door: String, Sendable, CaseIterable {
    /// It serves requests, in the manner that each asks for.
    case open
    /// It accepts and reads nothing. To TLS it is a handshake that hangs.
    case silent
    /// It accepts and closes.
    case closing
    /// It accepts and resets.
    case resetting
    /// It accepts nobody and refuses nobody: its backlog is full.
    case full
    /// Nobody listens.
    case refusing
    /// Where TLS is spoken to it, it answers in plain text.
    case plainText
    /// It closes in the middle of the TLS handshake.
    case closingInHandshake
    /// It resets there.
    case resettingInHandshake
    /// It refuses TLS as TLS does, with an alert.
    case refusingHandshake

    /// The scheme in which to knock.
    package var scheme: String {
        switch self {
        case .open, .silent, .closing, .resetting, .full, .refusing: "http"
        case .plainText, .closingInHandshake, .resettingInHandshake, .refusingHandshake: "https"
        }
    }

    func receive(_ connection: ScriptedPeer.Connection, ledger: Ledger, gate: Gate) throws {
        switch self {
        case .open: try serve(connection, ledger: ledger, gate: gate)
        case .silent: connection.waitForEndUnread()
        case .resetting: connection.reset()
        case .plainText:
            guard connection.readSome() else { return }
            connection.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        case .closingInHandshake:
            guard connection.readSome() else { return }
            // The beginning of a ServerHello: a record of type 22, and less of it than its length says.
            connection.write([22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3])
        case .resettingInHandshake:
            if connection.readSome() { connection.reset() }
        case .refusingHandshake:
            // A fatal alert: handshake_failure.
            if connection.readSome() { connection.write([21, 3, 3, 0, 2, 2, 40]) }
        case .closing, .full, .refusing: return
        }
    }

    private func serve(_ connection: ScriptedPeer.Connection, ledger: Ledger, gate: Gate) throws {
        var position = 0
        while let (head, body) = try connection.readRequest() {
            let request = ArrivedRequest(head: head, body: body)
            ledger.record(request)
            position += 1
            let performance = Performance(request: request, connection: connection, gate: gate, position: position)
            guard performance.play(request.fault ?? .plain) else { return }
        }
    }
}
