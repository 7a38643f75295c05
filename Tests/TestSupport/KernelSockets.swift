import Foundation
import Glibc

/// The TCP sockets of a process as the kernel's own table shows them.
///
/// The kernel writes the table in pieces: while sockets come and go a row may be missing or be there twice. A count is
/// to be waited for, unless the process is at rest.
package struct KernelSockets: Sendable {
    /// States of the table's column `st`, by the kernel's numbers.
    package enum State: String, Sendable {
        case established = "01"
        case synSent = "02"
        case finWait1 = "04"
        case finWait2 = "05"
        case closeWait = "08"
        case listen = "0A"
    }

    private let rows: [(state: String, remotePort: UInt16)]

    /// Reads the table now.
    package init() throws { try self.init(ofProcess: getpid()) }

    /// Reads the table now, of another process.
    package init(ofProcess id: Int32) throws {
        let inodes = try Self.inodes(of: id)
        var rows: [String: (state: String, remotePort: UInt16)] = [:]
        for (table, addressDigits) in [("tcp", 8), ("tcp6", 32)] {
            let bytes = try Self.contents(of: "/proc/\(id)/net/\(table)")
            for line in Self.rows(in: bytes, addressDigits: addressDigits) {
                let columns = line.split(separator: " ", omittingEmptySubsequences: true)
                guard columns.count > 9, inodes.contains(String(columns[9])) else { continue }
                guard let port = columns[2].split(separator: ":").last.flatMap({ UInt16($0, radix: 16) }) else {
                    continue
                }
                rows[String(columns[9])] = (String(columns[3]), port)
            }
        }
        self.rows = Array(rows.values)
    }

    /// How many sockets in this state lead to a port.
    package func count(_ state: State, to port: UInt16) -> Int {
        rows.count { $0.state == state.rawValue && $0.remotePort == port }
    }

    /// All sockets that lead to a port, in whatever state.
    package func count(to port: UInt16) -> Int { rows.count { $0.remotePort == port } }

    /// The rows of a table but for those in TIME_WAIT, which are nobody's, and tens of thousands after a storm.
    private static func rows(in table: [UInt8], addressDigits: Int) -> [String] {
        var rows: [String] = []
        // Sound: the pointers stay within the buffer, which outlives them. Going over the bytes one by one takes too
        // long in a debug build.
        table.withUnsafeBytes { buffer in
            guard var start = buffer.baseAddress else { return }
            let end = start + buffer.count
            while start < end, let newline = memchr(start, 0x0a, end - start) {
                let line = UnsafeRawBufferPointer(
                    start: start,
                    count: newline - UnsafeMutableRawPointer(mutating: start)
                )
                start = UnsafeRawPointer(newline) + 1
                // `sl: address:port address:port st`; the columns behind `sl:` have their places.
                guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
                let state = colon + 4 + 2 * (addressDigits + 5)
                guard line.count > state + 1 else { continue }
                let isTimeWait = line[state] == UInt8(ascii: "0") && line[state + 1] == UInt8(ascii: "6")
                if !isTimeWait { rows.append(String(decoding: line, as: UTF8.self)) }
            }
        }
        return rows
    }

    /// The whole of a file of /proc. These say they are empty and come in pieces of a page.
    private static func contents(of path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { throw TestFailure("\(path): errno \(errno)") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    private static func inodes(of id: Int32) throws -> Set<String> {
        let folder = "/proc/\(id)/fd"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return Set(
            names.compactMap { name in
                // A descriptor may be gone by now.
                guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"),
                    target.hasPrefix("socket:[")
                else { return nil }
                return String(target.dropFirst(8).dropLast())
            }
        )
    }
}
