/// A key of the terminal.
enum TopKey: Sendable, Hashable {
    case character(Character)
    case up, down, left, right, pageUp, pageDown, home, end
    case tab, backTab, enter, escape, backspace
    /// Ctrl-C, Ctrl-Z and Ctrl-L.
    case interrupt, suspend, redraw

    /// The keys in what a terminal sends; what is no key of this program is left out.
    static func keys(in bytes: [UInt8]) -> [TopKey] {
        var keys: [TopKey] = []
        var rest = bytes[...]
        while let first = rest.first {
            if first == 0x1B {
                let (key, count) = sequence(rest)
                if let key { keys.append(key) }
                rest = rest.dropFirst(count)
            } else if first < 0x20 || first == 0x7F {
                if let key = controls[first] { keys.append(key) }
                rest = rest.dropFirst()
            } else {
                let text = rest.prefix { $0 >= 0x20 && $0 != 0x7F }
                keys += String(decoding: text, as: UTF8.self).map { .character($0) }
                rest = rest.dropFirst(text.count)
            }
        }
        return keys
    }

    private static let controls: [UInt8: TopKey] = [
        0x03: .interrupt, 0x08: .backspace, 0x09: .tab, 0x0A: .enter, 0x0C: .redraw, 0x0D: .enter, 0x1A: .suspend,
        0x7F: .backspace,
    ]

    /// The key of an escape sequence, and its length.
    private static func sequence(_ bytes: ArraySlice<UInt8>) -> (TopKey?, Int) {
        let body = bytes.dropFirst()
        guard let kind = body.first, kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else { return (.escape, 1) }
        // Parameters, then one byte that ends the sequence.
        let parameters = body.dropFirst().prefix { (0x20...0x3F).contains($0) }
        guard let last = body.dropFirst(1 + parameters.count).first else { return (nil, bytes.count) }
        let key: TopKey? =
            switch (last, String(decoding: parameters, as: UTF8.self)) {
            case (UInt8(ascii: "A"), _): .up
            case (UInt8(ascii: "B"), _): .down
            case (UInt8(ascii: "C"), _): .right
            case (UInt8(ascii: "D"), _): .left
            case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): .home
            case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): .end
            case (UInt8(ascii: "Z"), _): .backTab
            case (UInt8(ascii: "~"), "5"): .pageUp
            case (UInt8(ascii: "~"), "6"): .pageDown
            default: nil
            }
        return (key, 3 + parameters.count)
    }
}
