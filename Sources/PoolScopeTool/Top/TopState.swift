/// What `poolscope top` shows, and how: changed by keys and by responses of the endpoint.
struct TopState: Sendable {
    /// What a key asks of the program.
    enum Request: Sendable, Hashable {
        case none, quit, interrupt, suspend, redraw
        /// Another page is needed at once.
        case fetch
    }

    /// How a view is sorted.
    struct Order: Sendable, Hashable {
        /// `nil` is the order of the endpoint.
        var column: Int?
        var isReversed = false
    }

    /// The address of the endpoint.
    let name: String
    /// The time between pages, in seconds.
    let interval: Double
    private(set) var view = TopView.upstreams
    private(set) var filter = ""
    private(set) var isTyping = false
    private(set) var isPaused = false
    private(set) var selected = 0
    private(set) var picture: TopPicture?
    /// Why there is no page; `nil` after a response.
    private(set) var failure: String?
    /// The time of the last response, or of the start.
    private(set) var lastResponse: Double
    private var orders: [TopView: Order] = [:]

    /// - Parameter now: a time in seconds, on any clock that does not go back.
    init(name: String, interval: Double, now: Double) {
        self.name = name
        self.interval = interval
        lastResponse = now
    }

    var order: Order { orders[view] ?? Order() }

    /// The rows of the view, filtered and sorted; `nil` while its page has not arrived.
    var table: TopTable? {
        picture.flatMap { TopTable(view, $0) }?.filtered(by: filter).sorted(
            by: order.column,
            isReversed: order.isReversed
        )
    }

    // MARK: Responses

    /// A paused picture stays as it is.
    mutating func receive(_ picture: TopPicture, at now: Double) {
        failure = nil
        lastResponse = now
        if !isPaused || self.picture == nil {
            self.picture = picture
        } else if let shown = self.picture, TopTable(view, shown) == nil {
            // A view that was opened while the picture is paused.
            self.picture?.details = picture.details
        }
        move(by: 0)
    }

    mutating func fail(_ reason: String) { failure = reason }

    // MARK: Keys

    mutating func handle(_ key: TopKey, page: Int) -> Request {
        switch key {
        case .interrupt: return .interrupt
        case .suspend: return .suspend
        case .redraw: return .redraw
        default: return isTyping ? type(key) : command(key, page: page)
        }
    }

    private mutating func type(_ key: TopKey) -> Request {
        switch key {
        case .character(let character): filter.append(character)
        case .backspace:
            if filter.isEmpty { isTyping = false } else { filter.removeLast() }
        case .enter: isTyping = false
        case .escape:
            filter = ""
            isTyping = false
        default: break
        }
        selected = 0
        return .none
    }

    private mutating func command(_ key: TopKey, page: Int) -> Request {
        switch key {
        case .character("q"), .character("Q"): return .quit
        case .tab, .right: return open(view.moved(by: 1))
        case .backTab, .left: return open(view.moved(by: -1))
        case .character(let digit) where ("1"..."5").contains(digit):
            return open(TopView.allCases[(digit.wholeNumberValue ?? 1) - 1])
        case .character("s"): sort()
        case .character("r"): orders[view, default: Order()].isReversed.toggle()
        case .character("/"): isTyping = true
        case .escape: filter = ""
        case .character("p"), .character(" "):
            isPaused.toggle()
            return isPaused ? .none : .fetch
        case .down, .character("j"): move(by: 1)
        case .up, .character("k"): move(by: -1)
        case .pageDown: move(by: max(1, page))
        case .pageUp: move(by: -max(1, page))
        case .home: selected = 0
        case .end: move(by: .max)
        default: break
        }
        return .none
    }

    private mutating func open(_ view: TopView) -> Request {
        self.view = view
        selected = 0
        return .fetch
    }

    /// The next column, and after the last the order of the endpoint.
    private mutating func sort() {
        guard let columns = picture.flatMap({ TopTable(view, $0) })?.columns else { return }
        let next = order.column.map { $0 + 1 } ?? 0
        orders[view] = Order(column: next < columns.count ? next : nil)
        selected = 0
    }

    private mutating func move(by step: Int) {
        let last = max(0, (table?.rows.count ?? 0) - 1)
        selected = max(0, min(last, selected.addingReportingOverflow(step).overflow ? last : selected + step))
    }
}
