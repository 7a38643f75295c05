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
}
