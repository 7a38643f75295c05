/// The charts of a page as drawings, each with its numbers in words.
enum HTMLCharts {
    static func section(_ charts: ChartSet, _ table: HTMLTable) -> Markup {
        let subject: Markup = charts.origin.map { table.name(.origin($0)) } ?? "\(charts.subject)"
        let four: Markup = charts.lines.count > 3 ? " four" : ""
        return """
            <section aria-labelledby="charts"><h2 id="charts"><b>Last \(charts.isHour ? "hour" : "10 minutes")</b>\
            of \(subject), \(sentence: charts.period) a step</h2>
            <div class="charts\(four)">\(charts.lines.map { figure($0, charts) })</div></section>
            """
    }

    private static let width = 600.0
    private static let floor = 82.0
    private static let height = 69.0

    private static func figure(_ line: ChartSet.Line, _ charts: ChartSet) -> Markup {
        let step = width / Double(max(1, line.values.count))
        let steps = line.values.enumerated().map { index, value in
            value.map { value in
                Step(from: Double(index) * step, to: Double(index + 1) * step, y: y(value, line.top))
            }
        }
        let split = min(charts.beganCell ?? steps.count, steps.count)
        let trouble = steps[split...].compactMap(\.self)
        let tint: Markup = trouble.isEmpty ? "" : "<path class=\"tint\" d=\"\(area(trouble))\"/>"
        let limit: Markup =
            line.limit.map { "<path class=\"most\" d=\"M0 \(number(y($0, line.top)))H600\"/>" } ?? ""
        let limitName: Markup =
            line.limit.map {
                "<svg class=\"over\" aria-hidden=\"true\"><text x=\"0\" y=\"17\">limit \(line.words($0))</text></svg>"
            } ?? ""
        // The first step of the trouble begins where the last one before it ended.
        let from = split > 0 && split < steps.count ? steps[split - 1]?.y : nil
        return """
            <figure><figcaption><span>\(line.title)</span><b>\(sentence: line.now)<small>\(sentence: line.beside)</small></b></figcaption>\
            <div class="plot"><svg viewBox="0 0 600 84" preserveAspectRatio="none" role="img" aria-label="\(words(line, charts))">\
            \(tint)<path class="base" d="M0 83.5H600"/>\(limit)<path class="line" d="\(path(steps[..<split]))"/>\
            <path class="line f" d="\(path(steps[split...], from: from))"/></svg>\(limitName)\(axis(charts, split, steps.count))</div></figure>
            """
    }

    private struct Step {
        let from: Double
        let to: Double
        let y: Double
    }

    private static func y(_ value: Double, _ top: Double) -> Double {
        // Anything above zero is off the floor.
        top > 0 && value > 0 ? min(floor - height * min(1, value / top), floor - 2) : floor
    }

    private static func path(_ steps: ArraySlice<Step?>, from: Double? = nil) -> String {
        var path = ""
        var last = from
        for step in steps {
            guard let step else {
                last = nil
                continue
            }
            if path.isEmpty || last == nil { path += "M\(number(step.from)) \(number(last ?? step.y))" }
            if last != step.y { path += "V\(number(step.y))" }
            path += "H\(number(step.to))"
            last = step.y
        }
        return path.isEmpty ? "M0 0" : path
    }

    private static func area(_ steps: [Step]) -> String {
        steps.map { "M\(number($0.from)) 84V\(number($0.y))H\(number($0.to))V84z" }.joined()
    }

    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    /// The times below a chart. One that would touch another is left out.
    private static func axis(_ charts: ChartSet, _ split: Int, _ count: Int) -> Markup {
        let share = Double(split) / Double(max(1, count))
        let began = charts.began.flatMap { split < count ? $0 : nil }
        let start: Markup = began != nil && share < 0.3 ? "" : "<text x=\"0\" y=\"15\">\(charts.start)</text>"
        let now: Markup =
            began != nil && share > 0.75 ? "" : "<text x=\"100%\" y=\"15\" text-anchor=\"end\">now</text>"
        let anchor = share < 0.15 ? "start" : share > 0.85 ? "end" : "middle"
        let trouble: Markup =
            began.map {
                "<text class=\"t\" x=\"\(number(share * 100))%\" y=\"15\" text-anchor=\"\(anchor)\">\($0)</text>"
            } ?? ""
        return "<svg class=\"axis\" aria-hidden=\"true\">\(start)\(trouble)\(now)</svg>"
    }

    /// What the chart shows, for those who do not see it.
    private static func words(_ line: ChartSet.Line, _ charts: ChartSet) -> String {
        let time = charts.isHour ? "hour" : "10 minutes"
        let known = line.values.compactMap(\.self)
        guard let most = known.max() else { return "\(line.title), last \(time): nothing is known" }
        let beside = line.beside.isEmpty || line.beside.hasPrefix("at most") ? "" : " \(line.beside)"
        var text = "\(line.title), last \(time): \(line.now) now\(beside), at most \(line.words(most))"
        if let began = charts.began, let split = charts.beganCell, split < line.values.count,
            let before = line.values[..<split].compactMap(\.self).max()
        {
            text += ", before \(began) at most \(line.words(before))"
        }
        return text
    }
}
