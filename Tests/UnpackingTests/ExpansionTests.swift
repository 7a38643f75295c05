import TestSupport
import Testing
import Unpacking

/// Bodies that unpack to far more than they are.
@Suite("Unpacking within bounds")
struct ExpansionTests {
    private func gzipped(_ count: Int, layers: Int = 1) async throws -> [UInt8] {
        let command =
            "head -c \(count) /dev/zero" + String(repeating: " | gzip -9 -n", count: layers) + " | od -An -v -tx1"
        let packed = try await runProgram("sh", ["-c", command])
        return Packed.bytes(packed.output.filter { $0.isHexDigit })
    }

    @Test("No piece is larger than 64 KiB, whatever a chunk unpacks to")
    func pieces() async throws {
        let unpacker = try Unpacker([.gzip], maxRatio: .max)
        unpacker.feed(try await gzipped(8 << 20))
        unpacker.end()
        var count = 0
        while case .piece(let piece) = try unpacker.next() {
            #expect(!piece.isEmpty && piece.count <= Unpacker.pieceBytes)
            count += piece.count
        }
        #expect(count == 8 << 20)
    }

    @Test("The ratio is the limit, beyond the first mebibyte, for every layer")
    func ratio() async throws {
        let packed = try await gzipped(4 << 20)
        let ratio = ((4 << 20) + packed.count - 1) / packed.count
        #expect(try Packed.unpacked([.gzip], packed, maxRatio: ratio).count == 4 << 20)
        #expect(throws: UnpackingError.tooLarge) { try Packed.unpacked([.gzip], packed, maxRatio: ratio - 1) }
        let small = try await gzipped(1 << 20)
        #expect(try Packed.unpacked([.gzip], small, maxRatio: 1).count == 1 << 20)
        // 330 bytes, 100 KiB, 100 MiB: each layer by itself would be within it.
        let twice = try await gzipped(100 << 20, layers: 2)
        #expect(throws: UnpackingError.tooLarge) { try Packed.unpacked([.gzip, .gzip], twice, maxRatio: 2_000) }
    }
}
