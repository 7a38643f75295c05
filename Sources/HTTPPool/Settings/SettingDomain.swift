/// The values of a setting: how they are parsed, which are allowed, and how they are shown.
struct SettingDomain<V: Equatable & Sendable>: Sendable {
    /// The allowed values, as errors and the documentation describe them.
    let allowed: String
    /// Whether the text may contain a secret.
    var mayHoldSecret = false
    /// Parses a text; `nil` if it is not a value of this type.
    let parse: @Sendable (String) -> V?
    /// The value in the form that is shown, without secrets.
    let value: @Sendable (V) -> SettingValue
    /// The problem of a value, from text or from code; `nil` if it is allowed.
    let problem: @Sendable (V) -> SettingProblem?
    /// An invalid text in the form that errors may show.
    var shown: @Sendable (String) -> String = { text in
        // A URL with a password may be given by mistake for any setting.
        text.contains("://") && text.contains("@") ? "(hidden)" : text
    }

    /// A domain whose invalid values are shown unchanged.
    static func plain(
        _ allowed: String,
        parse: @escaping @Sendable (String) -> V?,
        value: @escaping @Sendable (V) -> SettingValue,
        allows: @escaping @Sendable (V) -> Bool
    ) -> SettingDomain {
        SettingDomain(
            allowed: allowed,
            parse: parse,
            value: value,
            problem: { allows($0) ? nil : SettingProblem(value: value($0).description, allowed: allowed) }
        )
    }
}

/// The bounds of numeric settings.
enum SettingBounds {
    /// More connections than any process has file descriptors for; a larger number is a typing error.
    static let connections = 1_000_000
    /// One year in seconds; a larger number indicates a wrong unit.
    static let seconds = 31_536_000
    /// The kernel's maximum for TCP keep-alive intervals, in seconds.
    static let keepAlive = 32767
}

extension SettingDomain<Int> {
    /// A required whole number.
    static func count(from least: Int) -> SettingDomain {
        let most = SettingBounds.connections
        return plain("a whole number from \(least) to \(most)") {
            Int($0)
        } value: {
            .count($0)
        } allows: {
            (least...most).contains($0)
        }
    }

    /// A TCP port.
    static var port: SettingDomain {
        plain("a whole number from 0 to 65535; 0 picks a free port") {
            Int($0)
        } value: {
            .count($0)
        } allows: {
            (0...65535).contains($0)
        }
    }
}

extension SettingDomain<Int?> {
    /// A whole number, or `none`.
    static func limit(from least: Int) -> SettingDomain {
        let most = SettingBounds.connections
        return plain("a whole number from \(least) to \(most), or none") {
            $0 == "none" ? .some(nil) : Int($0).map(Optional.some)
        } value: {
            .count($0)
        } allows: {
            $0.map { (least...most).contains($0) } ?? true
        }
    }
}

extension SettingDomain<Duration?> {
    /// Seconds, or `none`.
    static func seconds(zeroAllowed: Bool) -> SettingDomain {
        plain("seconds, \(zeroAllowed ? "from 0" : "above 0") to \(SettingBounds.seconds), or none") {
            $0 == "none" ? .some(nil) : Duration(settingText: $0).map(Optional.some)
        } value: {
            .duration($0)
        } allows: {
            guard let duration = $0 else { return true }
            let isAllowedZero = zeroAllowed && duration == .zero
            return (duration > .zero || isAllowedZero) && duration <= .seconds(SettingBounds.seconds)
        }
    }

    /// Whole seconds between TCP keep-alive probes, or `none`.
    static var wholeSeconds: SettingDomain {
        plain("whole seconds from 1 to \(SettingBounds.keepAlive), or none") {
            if $0 == "none" { return .some(nil) }
            guard $0.utf8.allSatisfy("0123456789".utf8.contains), let seconds = Int($0) else { return nil }
            return .some(.seconds(seconds))
        } value: {
            .duration($0)
        } allows: {
            guard let (seconds, fraction) = $0?.components else { return true }
            return fraction == 0 && (1...Int64(SettingBounds.keepAlive)).contains(seconds)
        }
    }
}

extension SettingDomain<Duration> {
    /// Required seconds.
    static var seconds: SettingDomain {
        plain("seconds, from 0 to \(SettingBounds.seconds)") {
            Duration(settingText: $0)
        } value: {
            .duration($0)
        } allows: {
            $0 >= .zero && $0 <= .seconds(SettingBounds.seconds)
        }
    }
}

extension SettingDomain where V: CaseIterable & RawRepresentable<String> {
    /// One of a fixed set of words.
    static var word: SettingDomain {
        let words = V.allCases.map(\.rawValue)
        return plain(words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")) {
            V(rawValue: $0)
        } value: {
            .text($0.rawValue)
        } allows: { _ in
            true
        }
    }
}

extension Duration {
    /// Parses seconds with nanosecond precision; `nil` for other text and for values beyond
    /// `SettingBounds.seconds`.
    fileprivate init?(settingText text: String) {
        // Swift's own parser would also accept hexadecimal.
        guard text.utf8.allSatisfy("0123456789.eE+-".utf8.contains), let seconds = Double(text), seconds.isFinite,
            abs(seconds) <= Double(SettingBounds.seconds)
        else { return nil }
        self = .nanoseconds(Int64((seconds * 1e9).rounded()))
    }
}
