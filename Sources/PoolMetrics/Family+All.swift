import HTTPPool

/// All metric families. To add one, declare it in the list that it belongs to, each of which has a file of its own.
extension Family {
    /// All families, in the order of the exposition.
    static let all: [Family] = levels + configuration + counters + histograms + about + endpoint
}
