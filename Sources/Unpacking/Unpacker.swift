/// Undoes the codings of a body: chunks go in as they come, and pieces come out as they are asked for.
///
/// It unpacks only what is asked for, at most ``pieceBytes`` at once, however much a chunk would unpack to: what waits,
/// waits packed.
package final class Unpacker {
    package enum Found {
        /// Never empty.
        case piece([UInt8])
        /// All that went in has come out.
        case wantsMore
        case end
    }

    private enum Made {
        case bytes(Int)
        case wantsMore
        case end
    }

    /// The most bytes of a piece.
    package static let pieceBytes = 64 << 10

    /// Undoes one coding of what the layer before it makes; the first one's input comes over the wire.
    private struct Layer {
        let decoder: any Decoder
        /// What it has been given, and how much of that it has taken.
        var input: [UInt8] = []
        var taken = 0
        var unpacked = 0
    }

    private var layers: [Layer]
    private let limit: ExpansionLimit
    /// How much was fed.
    private var packed = 0
    private var isFed = false
    /// Sound: allocated here, freed in the deinitialiser; nobody else has it.
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 1)

    /// - Parameter codings: in the order in which they were applied.
    package init(_ codings: [ContentCoding], maxRatio: Int) throws(UnpackingError) {
        layers = []
        limit = ExpansionLimit(maxRatio: maxRatio)
        for coding in codings.reversed() { layers.append(Layer(decoder: try coding.makeDecoder())) }
    }

    deinit { scratch.deallocate() }

    /// Puts in the next chunk, when ``next()`` wants more.
    package func feed(_ chunk: [UInt8]) {
        packed += chunk.count
        layers[0].input = chunk
        layers[0].taken = 0
    }

    /// No chunk comes any more.
    package func end() { isFed = true }

    /// The next piece.
    package func next() throws(UnpackingError) -> Found {
        switch try make(in: layers.count - 1) {
        case .bytes(let count): .piece(Array(scratch[..<count]))
        case .wantsMore: .wantsMore
        case .end: .end
        }
    }

    /// Has a layer write into the scratch memory. Layers below it are done with that by then.
    private func make(in index: Int) throws(UnpackingError) -> Made {
        while true {
            let step = try decode(in: index)
            if step.made > 0 {
                layers[index].unpacked += step.made
                guard limit.allows(layers[index].unpacked, outOf: packed) else { throw .tooLarge }
                return .bytes(step.made)
            }
            if step.taken > 0 { continue }
            // A decoder that has both bytes and room, and does nothing, would do so for ever.
            guard layers[index].taken == layers[index].input.count else { throw .malformed }
            switch try refill(index) {
            case .bytes: continue
            case .wantsMore: return .wantsMore
            case .end:
                guard layers[index].decoder.mayEnd else { throw .truncated }
                return .end
            }
        }
    }

    private func decode(in index: Int) throws(UnpackingError) -> DecodingStep {
        let (input, taken, scratch) = (layers[index].input, layers[index].taken, scratch)
        let decoder = layers[index].decoder
        let step = try input.span.bytes.withUnsafeBytes { bytes throws(UnpackingError) in
            try decoder.decode(UnsafeRawBufferPointer(rebasing: bytes[taken...]), into: scratch)
        }
        layers[index].taken += step.taken
        return step
    }

    /// Gets a layer its next input.
    private func refill(_ index: Int) throws(UnpackingError) -> Made {
        guard index > 0 else { return isFed ? .end : .wantsMore }
        let made = try make(in: index - 1)
        if case .bytes(let count) = made {
            layers[index].input = Array(scratch[..<count])
            layers[index].taken = 0
        }
        return made
    }
}
