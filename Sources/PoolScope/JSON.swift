public import FoundationEssentials
public import HTTPPool

extension JSONEncoder: BodyEncoder {
    /// The JSON of a value.
    public func bytes(of value: some Encodable) throws -> [UInt8] { Array(try encode(value)) }
}

extension JSONDecoder: BodyDecoder {
    /// The value that the JSON stands for.
    public func value<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try decode(type, from: Data(bytes))
    }
}

extension HTTPRequestBody {
    /// A value as JSON, with the field `Content-Type: application/json` unless the request has one.
    ///
    /// - Throws: `EncodingError`.
    public static func json(_ value: some Encodable) throws -> HTTPRequestBody {
        try json(value, encoder: JSONEncoder())
    }
}

extension PooledResponse {
    /// The whole body, decoded from JSON.
    ///
    /// - Parameters:
    ///   - type: what the body stands for.
    ///   - limit: the most bytes to take into memory.
    /// - Throws: what `collect(upTo:)` throws; `DecodingError`.
    public func decode<Value: Decodable>(
        _ type: Value.Type,
        upTo limit: Int = HTTPResponseBody.defaultCollectLimit
    ) async throws -> Value {
        try await decode(type, with: JSONDecoder(), upTo: limit)
    }
}
