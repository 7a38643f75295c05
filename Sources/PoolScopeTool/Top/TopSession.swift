import Glibc

/// `poolscope top` in a terminal, from the first picture to the last key.
final class TopSession {
    private let client: StatusClient
    private let terminal: Terminal
    private let isASCII: Bool
    private let events: TopEvents
    private let start = ContinuousClock.now
    private var state: TopState
    private var isFetching = false
    private var wantsAgain = false

    init(_ client: StatusClient, _ terminal: Terminal, interval: Double, isASCII: Bool) {
        self.client = client
        self.terminal = terminal
        self.isASCII = isASCII
        events = TopEvents(interval: .seconds(interval))
        state = TopState(name: client.address.name, interval: interval, now: 0)
    }

    /// Runs until the user leaves, or a signal arrives.
    ///
    /// - Returns: the exit status.
    func run() async -> Int32 {
        terminal.enter()
        defer { terminal.leave() }
        fetch()
        guard draw() else { return EXIT_FAILURE }
        for await event in events.stream {
            if let status = handle(event) { return status }
            guard draw() else { return EXIT_FAILURE }
        }
        return EXIT_SUCCESS
    }

    /// - Returns: the exit status, at the end.
    private func handle(_ event: TopEvent) -> Int32? {
        switch event {
        case .tick: break
        case .due: if !state.isPaused { fetch() }
        case .resized: terminal.forget()
        case .closed: return EXIT_FAILURE
        case .signal(let number): return 128 + number
        case .picture(let picture):
            state.receive(picture, at: now)
            fetched()
        case .failed(let reason):
            state.fail(reason)
            fetched()
        case .keys(let keys):
            for key in keys { if let status = handle(key) { return status } }
        }
        return nil
    }

    private func handle(_ key: TopKey) -> Int32? {
        switch state.handle(key, page: screen.page) {
        case .none: break
        case .quit: return EXIT_SUCCESS
        case .interrupt: return 128 + SIGINT
        case .redraw: terminal.forget()
        case .fetch: fetch()
        case .suspend:
            terminal.leave()
            kill(getpid(), SIGSTOP)
            // Continued.
            terminal.enter()
        }
        return nil
    }

    // MARK: Pages

    /// Asks for the pages of the view; when pages are on their way, once more after them.
    private func fetch() {
        guard !isFetching else {
            wantsAgain = true
            return
        }
        isFetching = true
        let (client, view, sink) = (client, state.view, events.sink)
        Task {
            do {
                sink.yield(.picture(try await client.picture(view)))
            } catch {
                sink.yield(.failed("\(error)"))
            }
        }
    }

    private func fetched() {
        isFetching = false
        guard wantsAgain else { return }
        wantsAgain = false
        fetch()
    }

    // MARK: Drawing

    private var now: Double { (ContinuousClock.now - start) / .seconds(1) }

    private var screen: TopScreen {
        let size = TerminalSize.ofTerminal ?? TerminalSize(columns: 80, rows: 24)
        return TopScreen(state: state, size: size, now: now, isASCII: isASCII)
    }

    private func draw() -> Bool { terminal.draw(screen.lines()) }
}

extension StatusClient {
    /// The pages that a view needs.
    ///
    /// - Throws: ``StatusFailure``.
    func picture(_ view: TopView) async throws -> TopPicture {
        let status = try StatusFrame.decode(StatusPage.self, "status", await page("/"))
        guard let path = view.path else { return TopPicture(status: status) }
        let bytes = try await page(path)
        let details: TopPicture.Details =
            switch view {
            case .leases: .leases(try StatusFrame.decode(RequestsPage.self, "leases", bytes))
            case .queue: .queue(try StatusFrame.decode(RequestsPage.self, "queue", bytes))
            default: .events(try StatusFrame.decode(EventsPage.self, "events", bytes))
            }
        return TopPicture(status: status, details: details)
    }
}
