public import HTTPTypes

/// Turns values into the bytes of a body. `JSONEncoder` is one, with the module `PoolScope`.
public protocol BodyEncoder {
    /// The bytes of a value.
    func bytes(of value: some Encodable) throws -> [UInt8]
}

/// Reads values from the bytes of a body. `JSONDecoder` is one, with the module `PoolScope`.
public protocol BodyDecoder {
    /// The value that the bytes stand for.
    func value<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value
}

extension HTTPRequestBody {
    /// A value as JSON, with the field `Content-Type: application/json` unless the request has one.
    ///
    /// - Throws: what the encoder throws.
    public static func json(_ value: some Encodable, encoder: some BodyEncoder) throws -> HTTPRequestBody {
        HTTPRequestBody(content: .bytes(try encoder.bytes(of: value)), contentType: "application/json")
    }

    /// Fields of a form, in order, with `Content-Type: application/x-www-form-urlencoded` unless the request has one.
    public static func form(_ fields: KeyValuePairs<String, String>) -> HTTPRequestBody {
        let pairs = fields.map { Self.escaped($0.key) + [UInt8(ascii: "=")] + Self.escaped($0.value) }
        return HTTPRequestBody(
            content: .bytes(Array(pairs.joined(separator: [UInt8(ascii: "&")]))),
            contentType: "application/x-www-form-urlencoded"
        )
    }

    /// Letters, digits and `*-._` as they are, a space as `+`, all else in percent escapes (the URL standard, 5.2).
    private static func escaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                bytes.append(byte)
            case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
            default:
                bytes.append(UInt8(ascii: "%"))
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [digits[Int(byte >> 4)], digits[Int(byte & 0xf)]]
            }
        }
        return bytes
    }
}

extension PooledResponse {
    /// The header fields.
    public var headers: HTTPFields { head.headerFields }

    /// The whole body.
    ///
    /// - Parameter limit: the most bytes to take into memory.
    /// - Throws: ``PoolError`` with code `responseTooLarge` if there are more, which also ends the request; the error that
    ///   ended the body; `CancellationError`.
    public func collect(upTo limit: Int = HTTPResponseBody.defaultCollectLimit) async throws -> [UInt8] {
        try await body.collect(upTo: limit)
    }

    /// The whole body, read as UTF-8. Bytes that are not UTF-8 become replacement characters.
    ///
    /// - Parameter limit: the most bytes to take into memory.
    /// - Throws: what ``collect(upTo:)`` throws.
    public func text(upTo limit: Int = HTTPResponseBody.defaultCollectLimit) async throws -> String {
        String(decoding: try await collect(upTo: limit), as: UTF8.self)
    }

    /// The whole body, decoded.
    ///
    /// - Parameters:
    ///   - type: what the body stands for.
    ///   - decoder: reads it.
    ///   - limit: the most bytes to take into memory.
    /// - Throws: what ``collect(upTo:)`` and the decoder throw.
    public func decode<Value: Decodable>(
        _ type: Value.Type,
        with decoder: some BodyDecoder,
        upTo limit: Int = HTTPResponseBody.defaultCollectLimit
    ) async throws -> Value {
        let bytes = try await collect(upTo: limit)
        return try decoder.value(type, from: bytes)
    }
}
