/// A request as the server read it.
struct ArrivedRequest {
    let method: String
    let path: String
    /// The field `x-token`; empty where there is none.
    let token: String
    let body: [UInt8]

    init(head: String, body: [UInt8]) {
        let lines = head.split(separator: "\r\n")
        let words = lines.first.map { $0.split(separator: " ") } ?? []
        method = words.first.map { String($0) } ?? ""
        path = words.count > 1 ? String(words[1]) : ""
        let name = "x-token: "
        let line = lines.first { $0.lowercased().hasPrefix(name) }
        token = line.map { String($0.dropFirst(name.utf8.count)) } ?? ""
        self.body = body
    }

    var isHead: Bool { method == "HEAD" }
    /// What the path asks for; `nil` where it is no fault's name.
    var fault: Fault? { Fault(rawValue: String(path.drop { $0 == "/" }.prefix { $0 != "?" })) }
}
