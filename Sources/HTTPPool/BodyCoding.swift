public import HTTPTypes

/// Encodes values as request bodies. With the module `PoolScope`, `JSONEncoder` conforms.
public protocol BodyEncoder {
    /// The encoded bytes of a value.
    func bytes(of value: some Encodable) throws -> [UInt8]
}

/// Decodes values from response bodies. With the module `PoolScope`, `JSONDecoder` conforms.
public protocol BodyDecoder {
    /// The value decoded from the bytes.
    func value<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value
}

extension HTTPRequestBody {
    /// A value encoded as JSON, with `Content-Type: application/json` unless the request has one.
    ///
    /// - Throws: errors of the encoder.
    public static func json(_ value: some Encodable, encoder: some BodyEncoder) throws -> HTTPRequestBody {
        HTTPRequestBody(content: .bytes(try encoder.bytes(of: value)), contentType: "application/json")
    }

    /// Form fields, in order, with `Content-Type: application/x-www-form-urlencoded` unless the request has one.
    public static func form(_ fields: KeyValuePairs<String, String>) -> HTTPRequestBody {
        let pairs = fields.map { Self.escaped($0.key) + [UInt8(ascii: "=")] + Self.escaped($0.value) }
        return HTTPRequestBody(
            content: .bytes(Array(pairs.joined(separator: [UInt8(ascii: "&")]))),
            contentType: "application/x-www-form-urlencoded"
        )
    }

    /// Keeps letters, digits and `*-._`, turns a space into `+` and percent-encodes the rest (URL Standard, 5.2).
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

    /// Reads the whole body.
    ///
    /// - Parameter limit: the maximum number of bytes to buffer.
    /// - Throws: ``PoolError`` with code `responseTooLarge` if the body is larger, which also ends the request; the
    ///   error that ended the body; `CancellationError`.
    public func collect(upTo limit: Int = HTTPResponseBody.defaultCollectLimit) async throws -> [UInt8] {
        try await body.collect(upTo: limit)
    }

    /// Reads the whole body as UTF-8. Invalid UTF-8 becomes replacement characters.
    ///
    /// - Parameter limit: the maximum number of bytes to buffer.
    /// - Throws: the errors of ``collect(upTo:)``.
    public func text(upTo limit: Int = HTTPResponseBody.defaultCollectLimit) async throws -> String {
        String(decoding: try await collect(upTo: limit), as: UTF8.self)
    }

    /// Reads and decodes the whole body.
    ///
    /// - Parameters:
    ///   - type: the type to decode.
    ///   - decoder: decodes the bytes.
    ///   - limit: the maximum number of bytes to buffer.
    /// - Throws: the errors of ``collect(upTo:)`` and of the decoder.
    public func decode<Value: Decodable>(
        _ type: Value.Type,
        with decoder: some BodyDecoder,
        upTo limit: Int = HTTPResponseBody.defaultCollectLimit
    ) async throws -> Value {
        let bytes = try await collect(upTo: limit)
        return try decoder.value(type, from: bytes)
    }
}
