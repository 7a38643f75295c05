/// Memory into which an exposition is written once, without a check of uniqueness and capacity for each piece as in an
/// array.
struct ExpositionRoom: ~Copyable {
    /// Sound: it is used only in the closure that lends it, and bytes are written only below its count.
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0
    /// Whether something did not fit. Then what was written is to be thrown away.
    private(set) var isFull = false

    /// The bytes that `body` writes. If `capacity` does not suffice, it is called again with twice as much.
    static func written(capacity: Int, by body: (inout ExpositionRoom) -> Void) -> [UInt8] {
        var capacity = max(capacity, 64)
        while true {
            var isFull = false
            let written = [UInt8](unsafeUninitializedCapacity: capacity) { bytes, count in
                var room = ExpositionRoom(bytes)
                body(&room)
                isFull = room.isFull
                count = room.count
            }
            guard isFull else { return written }
            capacity *= 2
        }
    }

    private init(_ bytes: UnsafeMutableBufferPointer<UInt8>) { self.bytes = bytes }

    /// Appends a part of a line without retaining it; retaining costs as much as the copy.
    mutating func append(_ piece: borrowing [UInt8]) {
        piece.withUnsafeBufferPointer { piece in
            guard let source = piece.baseAddress, let place = place(piece.count) else { return }
            place.update(from: source, count: piece.count)
        }
    }

    mutating func append(_ piece: LastingBytes) {
        guard let place = place(piece.count) else { return }
        piece.copy(to: place)
    }

    /// Appends bytes that have been written before.
    mutating func `repeat`(_ earlier: Range<Int>) {
        guard let start = bytes.baseAddress, earlier.upperBound <= count, let place = place(earlier.count) else {
            return
        }
        place.update(from: start + earlier.lowerBound, count: earlier.count)
    }

    mutating func append(_ byte: UInt8) { place(1)?.pointee = byte }

    /// Appends a value: digits for a whole number, otherwise the shortest form that round-trips.
    mutating func append(value: Double) {
        guard let whole = Int64(exactly: value) else {
            var text: [UInt8] = []
            text.append(canonicalFloat: value)
            return append(text)
        }
        if whole < 0 { append(UInt8(ascii: "-")) }
        let magnitude = whole.magnitude
        var length = 1
        var limit: UInt64 = 10
        // No more than 19 digits, so the limit does not overflow.
        while magnitude >= limit {
            length += 1
            limit *= 10
        }
        guard let place = place(length) else { return }
        var rest = magnitude
        for index in stride(from: length - 1, through: 0, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            place[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
    }

    /// Takes back everything after `count` bytes.
    mutating func shorten(to count: Int) { self.count = min(self.count, count) }

    /// The next `length` bytes, which the caller writes; `nil` if there are not so many.
    private mutating func place(_ length: Int) -> UnsafeMutablePointer<UInt8>? {
        guard length <= bytes.count - count, let start = bytes.baseAddress else {
            isFull = true
            return nil
        }
        defer { count += length }
        return start + count
    }
}
