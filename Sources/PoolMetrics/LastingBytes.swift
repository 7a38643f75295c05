/// Bytes that are never released, such as the names of families: unlike an array, they are not retained for each use.
///
/// Sound as `Sendable`: nothing writes to the memory after the initializer, and nothing frees it.
struct LastingBytes: @unchecked Sendable {
    private let bytes: UnsafeBufferPointer<UInt8>

    /// - Precondition: called a bounded number of times, because the memory is never freed.
    init(_ source: [UInt8]) {
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: source.count)
        _ = copy.initialize(from: source)
        bytes = UnsafeBufferPointer(copy)
    }

    init(_ text: StaticString) {
        bytes = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    var count: Int { bytes.count }

    /// - Precondition: there is room for ``count`` bytes.
    func copy(to place: UnsafeMutablePointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        place.update(from: source, count: count)
    }
}
