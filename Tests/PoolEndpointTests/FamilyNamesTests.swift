import Testing

@testable import PoolEndpoint

@Suite("The families that a request names")
struct FamilyNamesTests {
    @Test(
        "Every name[] of the query counts, encoded or not, and nothing else",
        arguments: [
            ("/metrics", nil), ("/metrics?", nil), ("/metrics?name=a", nil), ("/metrics?names[]=a", nil),
            ("/metrics?token=name[]", nil), ("/metrics?name%5", nil),
            ("/metrics?name%5B%5D%", nil),
            ("/metrics?name[]=a", ["a"]), ("/metrics?name%5B%5D=a", ["a"]), ("/metrics?name%5b%5d=a&x=1", ["a"]),
            ("/metrics?name[]=a&name[]=b&name[]=a", ["a", "b"]), ("/metrics?name[]=%61_%62", ["a_b"]),
            ("/metrics?name[]=a=b", ["a=b"]), ("/metrics?&&name[]=a&&", ["a"]),
            ("/metrics?name[]", []), ("/metrics?name[]=%", []), ("/metrics?name[]=%zz", []),
            ("/metrics?name[]=%ff", []),
            ("/metrics?name[]=", [""]), ("/metrics?x?name[]=a", nil),
        ] as [(String, Set<String>?)]
    )
    func names(target: String, names: Set<String>?) {
        #expect(FamilyNames.requested(by: target) == names)
    }
}
