extension Family {
    /// The endpoint that serves the exposition; absent from one that no endpoint serves.
    static let endpoint: [Family] = [
        Family(
            "poolscope_scrape_duration_seconds",
            .gauge,
            "How long the last scrape of /metrics took to be rendered and compressed, 0 before the first. If it nears the "
                + "scraper's timeout, give up series (HTTP_CLIENT_MAX_ORIGIN_SERIES) or scrape less often.",
            .process { $0.endpoint?.scrapeSeconds }
        ),
        Family(
            "poolscope_scrape_bytes",
            .gauge,
            "Size of the last exposition before compression, 0 before the first. If it nears the scraper's limit "
                + "(body_size_limit), give up series or ask for some families with name[].",
            .process { $0.endpoint.map { Double($0.scrapeBytes) } }
        ),
        Family(
            "poolscope_endpoint_connections",
            .gauge,
            "Connections to the endpoint that are open. A scraper needs one; if there are many more, find out who holds them.",
            .process { $0.endpoint.map { Double($0.connections) } }
        ),
        Family(
            "poolscope_endpoint_refused_total",
            .counter,
            "Connections and requests that the endpoint refused. connections, deadline: someone holds connections, so let "
                + "fewer reach the endpoint; head_too_large, bad_request: see the log for what was wrong; host: use "
                + "localhost or the address; unauthorized: check the scraper's credentials.",
            .endpoint(
                each("reason", EndpointReading.Refusal.self) { reading, reason in Double(reading.refused[reason] ?? 0) }
            )
        ),
        Family(
            "poolscope_endpoint_requests_total",
            .counter,
            "Responses of the endpoint. Without an increase of metrics and 200, nothing scrapes it; check what else asks "
                + "where page is other.",
            .endpoint(
                EndpointReading.Page.allCases.flatMap { page in
                    EndpointReading.codes.map { code in
                        Sample(labels: rendered([("page", page.rawValue), ("code", String(code))])) { reading in
                            reading.count(page, code)
                        }
                    }
                }
            )
        ),
    ]
}
