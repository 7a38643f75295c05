package import Configuration

/// A snapshot of a settings file that lists its keys. Those of swift-configuration do not, so theirs are found by
/// reflection.
package protocol SettingsFileSnapshot: FileConfigSnapshot {
    /// The full keys of all values, with dots.
    var keys: Set<String> { get }
    /// The full keys of all empty objects.
    var emptyObjects: Set<String> { get }
}
