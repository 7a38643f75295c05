/// Decodes the codings of a body: chunks are fed as they arrive, and decoded pieces are pulled.
///
/// At most ``pieceBytes`` are decoded per pull, however much a chunk would decode to, so that pending data stays
/// encoded.
package final class Unpacker {
    package enum Found {
        /// Never empty.
        case piece([UInt8])
        /// All input has been decoded.
        case wantsMore
        case end
    }

    private enum Made {
        case bytes(Int)
        case wantsMore
        case end
    }

    /// The maximum size of a piece, in bytes.
    package static let pieceBytes = 64 << 10

    /// Decodes one coding of the output of the previous layer; the first layer gets the bytes received.
    private struct Layer {
        let decoder: any Decoder
        /// The current input, and how much of it was consumed.
        var input: [UInt8] = []
        var taken = 0
        var unpacked = 0
    }

    private var layers: [Layer]
    private let limit: ExpansionLimit
    /// The number of bytes fed.
    private var packed = 0
    private var isFed = false
    /// Sound: allocated here, freed in `deinit`, and never exposed.
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 1)

    /// - Parameter codings: in the order in which they were applied.
    package init(_ codings: [ContentCoding], maxRatio: Int) throws(UnpackingError) {
        layers = []
        limit = ExpansionLimit(maxRatio: maxRatio)
        for coding in codings.reversed() { layers.append(Layer(decoder: try coding.makeDecoder())) }
    }

    deinit { scratch.deallocate() }

    /// Feeds the next chunk. Call it only after ``next()`` returned `wantsMore`.
    package func feed(_ chunk: [UInt8]) {
        packed += chunk.count
        layers[0].input = chunk
        layers[0].taken = 0
    }

    /// Marks the end of the input.
    package func end() { isFed = true }

    /// Decodes the next piece.
    package func next() throws(UnpackingError) -> Found {
        switch try make(in: layers.count - 1) {
        case .bytes(let count): .piece(Array(scratch[..<count]))
        case .wantsMore: .wantsMore
        case .end: .end
        }
    }

    /// Decodes one layer into the scratch buffer. Lower layers no longer use it at that point.
    private func make(in index: Int) throws(UnpackingError) -> Made {
        while true {
            let step = try decode(in: index)
            if step.made > 0 {
                layers[index].unpacked += step.made
                guard limit.allows(layers[index].unpacked, outOf: packed) else { throw .tooLarge }
                return .bytes(step.made)
            }
            if step.taken > 0 { continue }
            // A decoder that makes no progress despite input and room never will.
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

    /// Provides the next input of a layer.
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
