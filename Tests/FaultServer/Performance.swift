import Glibc
import TestSupport

/// One request being answered.
struct Performance {
    let request: ArrivedRequest
    let connection: ScriptedPeer.Connection
    let gate: Gate
    /// Which request of its connection it is, from 1.
    let position: Int

    private static let poison = "HTTP/1.1 200 OK\r\nX-Token: poison\r\nContent-Length: 6\r\n\r\npoison"

    /// Answers in the manner of `fault`.
    ///
    /// - Returns: whether the connection may bring another request.
    func play(_ fault: Fault) -> Bool {
        switch fault {
        case .plain, .chunked, .large, .slowHead, .slowBody, .close, .closeWithoutBody, .closeEndsBody, .noContent,
            .notModified, .interimStorm, .held, .heldInBody, .heldClose:
            return playWell(fault)
        // The answer to HEAD is whole with its head.
        case _ where request.isHead && fault.isOfBody: return playWell(.plain)
        case .hang, .hangInHead, .hangInBody, .endlessInterim:
            fallSilent(fault)
        case .drop, .dropInHead, .lengthTooLong, .reset, .resetInHead, .resetInBody:
            breakOff(fault)
        case .dropOnReuse, .resetOnReuse:
            if position == 1 { return playWell(.plain) }
            if fault == .resetOnReuse { connection.reset() }
        case .closeIdle, .resetIdle, .strayIdle:
            return speakWhileIdle(fault)
        case .lengthTooShort, .poisonBehindBody, .noContentWithBody, .notModifiedWithBody, .headWithBody:
            return playPoison(fault)
        case .garbage, .endlessHead, .chunkSizeNotHex, .chunkSizeTooLarge, .chunkWithoutEnd, .chunksCutOff:
            playNotHTTP(fault)
        }
        return false
    }

    // MARK: - The manners

    private func playWell(_ fault: Fault) -> Bool {
        switch fault {
        case .chunked:
            let text = text(Fault.smallBody)
            return send(head(["Transfer-Encoding: chunked"]), chunk(text) + "0\r\nX-Trailer: yes\r\n\r\n")
        case .large: return send(head(length: Fault.largeBody), text(Fault.largeBody))
        case .slowHead: return slowly(head(length: Fault.smallBody), by: 1) && send("", text(Fault.smallBody))
        case .slowBody:
            return send(head(length: Fault.smallBody)) && (request.isHead || slowly(text(Fault.smallBody), by: 8))
        case .close:
            send(head(["Connection: close"], length: Fault.smallBody), text(Fault.smallBody))
            return false
        case .closeWithoutBody:
            send(head("204 No Content", ["Connection: close"]))
            return false
        case .closeEndsBody:
            send(head(), text(Fault.smallBody))
            return request.isHead
        case .noContent: return send(head("204 No Content"))
        case .notModified: return send(head("304 Not Modified"))
        case .interimStorm:
            let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\nX-Token: early\r\n\r\n", count: 100)
            return send(interim + head(length: Fault.smallBody), text(Fault.smallBody))
        case .held:
            return isLetThrough() && playWell(.plain)
        case .heldClose:
            return isLetThrough() && playWell(.close)
        case .heldInBody:
            let text = text(Fault.smallBody)
            send(head(length: Fault.smallBody), String(text.prefix(60)))
            return isLetThrough() && send("", String(text.dropFirst(60)))
        default: return send(head(length: Fault.smallBody), text(Fault.smallBody))
        }
    }

    /// Waits at the gate; `false` where it was forgotten, and the connection ends then.
    private func isLetThrough() -> Bool { (try? gate.wait()) != nil }

    private func fallSilent(_ fault: Fault) {
        switch fault {
        case .hangInHead: connection.write(String(head(length: Fault.smallBody).prefix(30)))
        case .hangInBody: send(head(length: Fault.smallBody), text(60))
        case .endlessInterim: while connection.write("HTTP/1.1 103 Early Hints\r\n\r\n") { pause() }
        default: break
        }
        connection.waitForEnd()
    }

    private func breakOff(_ fault: Fault) {
        switch fault {
        case .dropInHead, .resetInHead: connection.write(String(head(length: Fault.smallBody).prefix(30)))
        // An answer to HEAD has no body that could be too short: there only the head can break off.
        // An answer to HEAD is whole with its head, so there is none.
        case .lengthTooLong, .resetInBody: if !request.isHead { send(head(length: Fault.smallBody), text(60)) }
        default: break
        }
        guard fault.rawValue.hasPrefix("reset") else { return }
        // A reset at once would take back what was written.
        pause()
        connection.reset()
    }

    private func speakWhileIdle(_ fault: Fault) -> Bool {
        guard playWell(.plain) else { return false }
        for _ in 0..<(request.token.utf8.last ?? 0) % 4 { pause() }
        if fault == .resetIdle { connection.reset() }
        // Not poison: what comes when the next request is already on its way is the answer to it, for all that anybody
        // can tell.
        return fault == .strayIdle && connection.write("\u{1}\u{2}\u{3} nobody asked for this")
    }

    /// The poison is there before the answer is over, so that no client can take it for one in good faith.
    private func playPoison(_ fault: Fault) -> Bool {
        let text = text(Fault.smallBody)
        switch fault {
        case .poisonBehindBody:
            guard send(head(length: Fault.smallBody)) else { return false }
            // With the head read by itself, a client that reads the body to its last byte leaves the rest unread.
            pause()
            return send("", text + Self.poison)
        case .noContentWithBody: return connection.write(head("204 No Content") + Self.poison)
        case .notModifiedWithBody:
            return connection.write(head("304 Not Modified", length: Self.poison.utf8.count) + Self.poison)
        case .headWithBody where request.isHead:
            return connection.write(head(length: Self.poison.utf8.count) + Self.poison)
        default: return send(head(length: Fault.smallBody), text + Self.poison)
        }
    }

    private func playNotHTTP(_ fault: Fault) {
        let chunked = head(["Transfer-Encoding: chunked"])
        switch fault {
        case .garbage: connection.write("SSH-2.0-OpenSSH_9.2\r\n\r\n")
        case .endlessHead:
            connection.write("HTTP/1.1 200 OK\r\n")
            let fields = String(repeating: "X-Endless: \(String(repeating: "y", count: 80))\r\n", count: 80)
            while connection.write(fields) {}
        case .chunkSizeNotHex: send(chunked, "zz\r\n")
        case .chunkSizeTooLarge: send(chunked, "fffffffffffffffffffff\r\n")
        case .chunkWithoutEnd: send(chunked, "5\r\nhello, not the end of it\r\n0\r\n\r\n")
        default: send(chunked, chunk(text(Fault.smallBody)))
        }
    }

    // MARK: - Words

    private func head(_ status: String = "200 OK", _ fields: [String] = [], length: Int? = nil) -> String {
        var lines = ["HTTP/1.1 \(status)", "X-Token: \(request.token)"] + fields
        if let length { lines.append("Content-Length: \(length)") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    private func head(_ fields: [String], length: Int? = nil) -> String { head("200 OK", fields, length: length) }

    private func text(_ count: Int) -> String {
        String(decoding: TokenText.bytes(of: request.token, count: count), as: UTF8.self)
    }

    private func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }

    /// Sends both in one piece, the body where the method allows for one.
    @discardableResult
    private func send(_ head: String, _ body: String = "") -> Bool {
        connection.write(request.isHead ? head : head + body)
    }

    private func slowly(_ text: String, by size: Int) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard connection.write(Array(rest.prefix(size))) else { return false }
            rest = rest.dropFirst(size)
            pause()
        }
        return true
    }

    private func pause() { usleep(500) }
}
