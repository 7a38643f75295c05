import HTTPPool
import PoolMetrics

/// What is found, in HTML.
struct HTMLVerdict {
    let table: HTMLTable
    let process: ProcessSituation

    init(_ links: PageLinks, _ process: ProcessSituation) {
        table = HTMLTable(links: links)
        self.process = process
    }

    /// The first finding whole, the others in a line each.
    func section(_ diagnosis: Diagnosis) -> Markup {
        let first = diagnosis.first
        let advice = first.rows.filter(\.isAdvice)
        // The time is beside the word.
        let evidence = first.rows.filter { !$0.isAdvice && $0.label != "since" }
        let whose = [first.began.map { "since \(process.clock($0))" }, first.pool.map { "pool \($0)" }].compactMap(
            \.self
        )
        let origin: Markup? = first.origin.map {
            "<p class=\"name\"><a href=\"\(table.links.leases(of: $0))\">\(table.name(.origin($0)))</a></p>"
        }
        let lead: Markup? = first.summary.isEmpty ? nil : "<p class=\"lead\">\(sentence: first.summary)</p>"
        return """
            <section class="verdict" aria-labelledby="verdict">
            <p class="tag">\(mark(first))\(sentence: first.sentenceCase)<span>\(sentence: whose.joined(separator: ", "))</span></p>
            <h1 id="verdict">\(sentence: first.sentence)</h1>
            \(origin)\(lead)\(others(diagnosis))\(two(evidence, advice))\(past(diagnosis))
            </section>
            """
    }

    /// The finding in a line, on a page about something else.
    func banner(_ diagnosis: Diagnosis) -> Markup {
        let first = diagnosis.first
        return """
            <p class="tag banner">\(mark(first))<a href="\(table.links.overview)">\(sentence: first.sentenceCase)</a>\
            <span>\(sentence: first.sentence)</span></p>
            """
    }

    func rows(_ rows: [Verdict.Row]) -> Markup {
        let items: [Markup] = rows.map { "<dt>\($0.label.capitalizedFirst)</dt><dd>\(sentence: $0.text)</dd>\n" }
        return "<dl>\(items)</dl>"
    }

    private func two(_ evidence: [Verdict.Row], _ advice: [Verdict.Row]) -> Markup? {
        guard !evidence.isEmpty || !advice.isEmpty else { return nil }
        let items: [Markup] = advice.map {
            "<li><small>\($0.label.capitalizedFirst)</small>\(sentence: $0.text)</li>\n"
        }
        let list: Markup? = advice.isEmpty ? nil : "<div class=\"todo\"><h2>What to do</h2><ol>\(items)</ol></div>"
        let both: Markup = evidence.isEmpty || advice.isEmpty ? "" : " both"
        return "<div class=\"two\(both)\">\(evidence.isEmpty ? nil : rows(evidence))\(list)</div>"
    }

    /// No more than fit on a screen; the rest is counted.
    private static let mostOthers = 8

    private func others(_ diagnosis: Diagnosis) -> Markup? {
        let others = diagnosis.verdicts.dropFirst()
        guard !others.isEmpty else { return nil }
        var items: [Markup] = others.prefix(Self.mostOthers).map { verdict in
            let origin: Markup? = verdict.origin.map { "<br/>\(table.name(.origin($0)))" }
            let pool: Markup? =
                verdict.pool != nil && verdict.pool != diagnosis.first.pool ? verdict.pool.map { ", pool \($0)" } : nil
            return "<li>Also <b>\(sentence: verdict.short)</b>: \(sentence: verdict.title)\(pool)\(origin)</li>\n"
        }
        if others.count > Self.mostOthers {
            items.append("<li>Also \(others.count - Self.mostOthers) more, as <a href=\"?format=json\">JSON</a></li>")
        }
        return "<ul class=\"also\">\(items)</ul>"
    }

    private func past(_ diagnosis: Diagnosis) -> Markup? {
        diagnosis.lastTrouble(process).map { "<p class=\"note\">Last trouble: \(sentence: $0)</p>" }
    }

    /// A triangle for trouble, a tick for its absence.
    private func mark(_ verdict: Verdict) -> Markup {
        let shape =
            verdict.severity > .ok
            ? "M8 .9 16 15H0zM7.2 6v4.6h1.6V6zm0 5.7v1.6h1.6v-1.6z" : "M6 14 .8 8.8l1.7-1.7L6 10.6l7.5-7.5 1.7 1.7z"
        return
            "<svg width=\"15\" height=\"15\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path fill=\"currentColor\" d=\"\(shape)\"/></svg>"
    }
}

extension Verdict {
    /// `Saturated for 4 min 10 s`
    var sentenceCase: String { kind.word.lowercased().capitalizedFirst + short.dropFirst(kind.word.count) }

    /// The title with its subject, which stands beside it in text.
    var sentence: String {
        if title.hasPrefix("it ") { return "The upstream " + title.dropFirst(3) }
        return title.hasPrefix("its ") ? "The upstream: \(title)" : title.capitalizedFirst
    }
}

extension Verdict.Row {
    /// Whether it says what to do, not what is.
    var isAdvice: Bool { ["do first", "set", "or set"].contains(label) }
}
