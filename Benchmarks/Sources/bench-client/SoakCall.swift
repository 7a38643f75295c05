internal import HTTPPool

/// One kind of request of the soak, and how every one of it must end.
enum SoakCall: String, CaseIterable {
    case small, large, failing, closing, dropped, hanging, abandoned, refused

    /// How a request can end.
    enum Ending: Hashable {
        case status(Int)
        case failure(PoolError.Code)
        case cancellation
    }

    /// How many of a hundred.
    var weight: Int {
        switch self {
        case .small: 80
        case .large: 3
        case .failing, .closing: 4
        case .dropped, .hanging, .refused: 2
        case .abandoned: 3
        }
    }

    /// What the harness's nginx has under it.
    var path: String {
        switch self {
        case .large: "/1mib"
        case .failing: "/503"
        case .closing: "/close"
        case .dropped: "/drop"
        case .small, .hanging, .abandoned, .refused: "/200"
        }
    }

    /// How it must end.
    var ending: Ending {
        switch self {
        case .small, .large, .closing: .status(200)
        case .failing: .status(503)
        case .dropped: .failure(.connectionLost)
        case .hanging: .failure(.readTimeout)
        case .refused: .failure(.connectFailed)
        case .abandoned: .cancellation
        }
    }

    /// Every kind as often as its weight says, spread evenly: nothing is random, so two soaks do the same.
    static let inTurn: [SoakCall] = {
        let weighted = allCases.flatMap { call in
            (0..<call.weight).map { (place: (Double($0) + 0.5) / Double(call.weight), call: call) }
        }
        return weighted.sorted { $0.place < $1.place }.map(\.call)
    }()
}
