import CLibcurl
import HTTPTypes

/// Header fields as a libcurl list, in a single block of memory: first the nodes, then the lines.
///
/// Sound as `Sendable`: the block is written in the initializer and never again; libcurl only reads it.
final class HeaderList: @unchecked Sendable {
    let list: UnsafeMutablePointer<curl_slist>?

    /// The kind of body of the request.
    enum Body {
        case none
        /// A body of length 0, announced by a field alone.
        case empty
        /// A body sent by libcurl. The fields that libcurl would add are suppressed.
        case some
    }

    /// - Parameter fields: validated fields, without control characters.
    init(_ fields: [HTTPField], for body: Body) {
        let more =
            switch body {
            case .none: [String]()
            case .empty: ["Content-Length: 0"]
            case .some: Self.fieldsOfLibcurl(without: fields)
            }
        let count = fields.count + more.count
        guard count > 0 else {
            list = nil
            return
        }
        var bytes = more.reduce(0) { $0 + $1.utf8.count + 1 }
        for field in fields {
            // ": " and the terminating zero.
            bytes += field.name.rawName.utf8.count + field.withUnsafeBytesOfValue { $0.count } + 3
        }
        let nodesBytes = count * MemoryLayout<curl_slist>.stride
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: nodesBytes + bytes,
            alignment: MemoryLayout<curl_slist>.alignment
        )
        let nodes = block.bindMemory(to: curl_slist.self, capacity: count)
        var writer = ByteWriter(at: block + nodesBytes)
        for index in 0..<count {
            let next = index + 1 < count ? nodes + (index + 1) : nil
            let line = writer.end.assumingMemoryBound(to: CChar.self)
            (nodes + index).initialize(to: curl_slist(data: line, next: next))
            if index < fields.count {
                Self.write(fields[index], to: &writer)
            } else {
                writer.put(more[index - fields.count])
            }
            writer.put(0)
        }
        list = nodes
    }

    /// Fields that libcurl adds to a request with a body, and the lines that suppress them: it would wait for "100
    /// Continue" before a large body, and label an in-memory body as form data.
    private static let addedByLibcurl: [(name: HTTPField.Name, line: String)] = [
        (.expect, "Expect:"), (.contentType, "Content-Type:"),
    ]

    private static func fieldsOfLibcurl(without fields: [HTTPField]) -> [String] {
        addedByLibcurl.filter { added in !fields.contains { $0.name == added.name } }.map(\.line)
    }

    private static func write(_ field: HTTPField, to writer: inout ByteWriter) {
        writer.put(field.name.rawName)
        field.withUnsafeBytesOfValue { value in
            // libcurl takes "Name:" as a request to omit the field; a semicolon requests an empty value.
            guard !value.isEmpty else { return writer.put(UInt8(ascii: ";")) }
            writer.put(UInt8(ascii: ":"))
            writer.put(UInt8(ascii: " "))
            writer.put(value)
        }
    }

    deinit { list?.deallocate() }
}
