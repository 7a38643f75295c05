import HTTPPool
import Testing

@Suite("A call site")
struct CallSiteTests {
    @Test("is the same for the same name")
    func interned() {
        let site = CallSite("catalog")
        #expect(site == CallSite("catalog"))
        #expect(site.index == CallSite("catalog").index)
        #expect(site != CallSite("Catalog"))
        #expect(site.name == "catalog")
        #expect(site.description == "catalog")
        #expect(CallSite.unattributed.name == "unattributed")
        #expect(CallSite("unattributed") == .unattributed)
        #expect(RequestOptions().site == .unattributed)
        #expect(RequestOptions(site: site).site == site)
    }

    @Test("has one number for one name, whoever makes it at the same time")
    func concurrently() async {
        let names = (0..<64).map { "concurrent \($0)" }
        let found = await withTaskGroup(of: [CallSite].self) { group in
            for _ in 0..<16 { group.addTask { names.shuffled().map { CallSite($0) } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(found.count == 16 * names.count)
        #expect(Set(found).count == names.count)
        #expect(Set(found.map(\.index)).count == names.count)
        #expect(Set(found.map(\.name)) == Set(names))
    }

    @Test("has a name of one line: control characters become spaces, and a blank name is none")
    func oneLine() {
        #expect(CallSite("a\nb\r\u{0}\u{1B}[2J\u{85}").name == "a b   [2J ")
        #expect(CallSite("tab\tbed") == CallSite("tab bed"))
        for blank in ["", " ", "\n", "\t \u{0}"] {
            #expect(CallSite(blank) == .unattributed, "\(blank.debugDescription)")
        }
    }

    @Test("has a name of at most 128 bytes, cut between characters of UTF-8")
    func length() {
        let longest = String(repeating: "x", count: 128)
        #expect(CallSite(longest).name == longest)
        #expect(CallSite(longest + "y") == CallSite(longest))
        #expect(CallSite(String(repeating: "x", count: 127) + "\u{E9}").name == String(repeating: "x", count: 127))
        #expect(CallSite(String(repeating: "\u{1F600}", count: 33)).name == String(repeating: "\u{1F600}", count: 32))
    }
}
