extension String {
    /// The most similar name: a dotted prefix of this one, or else the one with the smallest edit distance, if that
    /// is small relative to its length.
    ///
    /// - Parameter most: the maximum distance; `nil` for a sixth of the name's length, but at least 2.
    func nearest(of names: [String], within most: Int? = nil) -> String? {
        if let shorter = names.first(where: { hasPrefix($0 + ".") }) { return shorter }
        let candidates = names.compactMap { name -> (name: String, steps: Int)? in
            let most = most ?? Swift.max(2, name.utf8.count / 6)
            // Each edit changes the length by at most one.
            guard abs(name.utf8.count - utf8.count) <= most else { return nil }
            let steps = lowercased().edits(to: name.lowercased())
            return steps <= most ? (name, steps) : nil
        }
        return candidates.min { $0.steps < $1.steps }?.name
    }

    /// The Damerau–Levenshtein distance in its restricted form (optimal string alignment).
    func edits(to other: String) -> Int {
        let (a, b) = (Array(utf8), Array(other.utf8))
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = Swift.min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = Swift.min(least, beforeLast[j - 1] + 1) }
                row.append(least)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
