/// The origins that have requests waiting and are kept from another connection by their own limit.
struct OwnLimits {
    /// By origin; those beyond the end are not kept.
    private var isKept: [Bool] = []
    /// How many there are.
    private(set) var count = 0

    func contains(_ origin: Int) -> Bool { origin < isKept.count && isKept[origin] }

    mutating func set(_ kept: Bool, _ origin: Int) {
        guard kept != contains(origin) else { return }
        while isKept.count <= origin { isKept.append(false) }
        isKept[origin] = kept
        count += kept ? 1 : -1
    }
}
