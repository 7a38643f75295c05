import Foundation
import Testing

/// The article with the pages of incidents, as they were captured.
enum IncidentArticle {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Sources/PoolScope/PoolScope.docc/Incidents.md")
    /// With this variable the tests write the pages instead of comparing them.
    private static let isRenewed = ProcessInfo.processInfo.environment["RENEW_DOCUMENTATION"] != nil

    /// The article shows this page between two marks that name it. Numbers differ from run to run and are not compared.
    static func shows(
        _ page: CapturedPage,
        as name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let article = try String(contentsOf: file, encoding: .utf8)
        let marks = (first: "<!-- page: \(name) -->\n\n```\n", last: "```\n\n<!-- end of page -->")
        let rest = try #require(article.firstRange(of: marks.first), "no \(name)", sourceLocation: sourceLocation)
        let end = try #require(article[rest.upperBound...].firstRange(of: marks.last), sourceLocation: sourceLocation)
        let shown = article[rest.upperBound..<end.lowerBound]
        if isRenewed {
            let new = article[..<rest.upperBound] + page.documented + article[end.lowerBound...]
            try String(new).write(to: file, atomically: true, encoding: .utf8)
            return
        }
        #expect(
            CapturedPage.shape(of: String(shown)) == CapturedPage.shape(of: page.documented),
            "RENEW_DOCUMENTATION=1 swift test --filter IncidentTests writes it anew:\n\(page.text)",
            sourceLocation: sourceLocation
        )
    }
}
