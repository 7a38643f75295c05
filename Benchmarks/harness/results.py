"""RESULTS.md."""

from datetime import date
from statistics import median, quantiles

from .clients import CLIENTS, NO_TLS, Cell
from .findings import Findings
from .machine import machine, versions
from .memory import HELD
from .samples import CPU, Samples
from .scrapes import ORIGINS, PER_SECOND
from .targets import Verdict, plural, verdicts

BASES = ["c-libcurl", "go-net-http", "async-http-client"]


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def spread(ratios: list[float]) -> str:
    """The median of the rounds' ratios, and the ratio of each round."""
    return f"**{median(ratios):.2f}** ({', '.join(f'{ratio:.2f}' for ratio in ratios)})"


def cell_table(samples: Samples, cell: Cell) -> str:
    rows = []
    for client in CLIENTS:
        if not samples.has(cell, client):
            continue
        value = lambda figure: samples.median(cell, client, figure)
        rows.append([
            client, number(value("requests_per_second")), number(value(CPU)), number(value("p50_us")),
            number(value("p99_us")), f"{value('peak_rss_kib') / 1024:.1f}",
            *(spread(samples.ratios(cell, client, "c-libcurl", figure)) for figure in (CPU, "requests_per_second")),
        ])
    header = ["client", "requests/s", "CPU µs/request", "p50 µs", "p99 µs", "peak MiB", "CPU ÷ C", "requests/s ÷ C"]
    return table(header, rows)


def base_table(samples: Samples, cells: list[Cell], figure: str) -> str:
    """PoolScope's clients against each base: medians of the rounds' ratios."""
    rows = []
    for cell in cells:
        for client in ("curlpool-bare", "curlpool-instrumented"):
            if samples.has(cell, client):
                ratios = [f"{median(samples.ratios(cell, client, base, figure)):.2f}" for base in BASES]
                rows.append([f"{client}, {cell.name}", *ratios])
    return table(["", *(f"÷ {base}" for base in BASES)], rows)


def quiet_table(found: Findings) -> str:
    rows = []
    places = {"streams": "open, without an answer", "bodies": "open, in the middle of a body",
              "queued": "in the queue of another origin"}
    for series, where in places.items():
        for step, figures in enumerate(found.quiet[0][series]):
            cost = median(each[series][step][CPU] for each in found.quiet)
            rows.append([f"{figures['standing']:,} {where}", number(cost), spread(found.standing_ratios(series, step))])
    return table(["requests that stand still", "CPU µs/request", "÷ beside none"], rows)


def scrape_table(found: Findings) -> str:
    rows = [
        [name, *(number(found.scrape(who, part, figure)) for figure in ("us", "cpu_us")), ratios]
        for name, who, part, ratios in (
            ("PoolScope", "poolscope", "pool", spread(found.scrape_ratios("us"))),
            ("PoolScope, with the families of the process", "poolscope", "whole", ""),
            ("client_golang", "client_golang", "pool", ""),
        )
    ]
    return table(["one scrape", "µs", "CPU µs", "÷ client_golang"], rows)


def scraped_table(found: Findings) -> str:
    rows = [
        [plural(origins), f"{median(pair['bytes_per_scrape'] for pair in pairs) / 1024:.0f}",
         number(median(pair["scrapes_per_second"] for pair in pairs)),
         *(quartiles(found.scraped_ratios(origins, figure)) for figure in ("throughput", "cpu"))]
        for origins, pairs in found.scraped.items()
    ]
    return table(["the pool knows", "KiB/scrape", "scrapes/s", "throughput ÷ alone", "CPU ÷ alone"], rows)


def quartiles(ratios: list[float]) -> str:
    """The median, and the half of all that lies around it."""
    low, middle, high = quantiles(ratios, n=4)
    return f"**{middle:.3f}** ({low:.3f} to {high:.3f})"


def memory_table(found: Findings) -> str:
    rows = [
        [what, f"{found.memory[0][subject]['count']:,}", f"{found.held_kib(subject):.2f}",
         f"{found.held_kib(subject, 'allocated_bytes'):.2f}"]
        for subject, what in HELD.items()
    ]
    return table(["one more", "measured with", "KiB resident", "KiB allocated"], rows)


def target_row(verdict: Verdict) -> list[str]:
    limit = f"{'≥' if verdict.is_floor else '≤'} {verdict.limit:g}"
    return [verdict.target, f"{verdict.figure:.3f}", limit, "yes" if verdict.met else "**no**"]


def markdown(found: Findings) -> str:
    samples, cells = found.samples, found.cells
    shown = [(name, value) for name, value in [*machine(), *versions(), ("date", date.today().isoformat())]]
    parts = [
        "# Results",
        "Written by `make bench`. Do not edit: run it again.",
        *(["**A quick run, to see that everything works. Its figures mean nothing.**"] if found.is_quick else []),
        "Every client GETs from one nginx on loopback with one worker, over kept-alive HTTP/1.1 connections, reads "
        f"whole bodies, and is a process of its own. {found.rounds} rounds; in each every client runs once at every place, "
        "in an order that rotates. Figures are medians of the rounds. A ratio divides two figures of the same round; "
        "the number in bold is the median, and each round's ratio stands behind it. CPU is user and system time of the "
        "whole client process, without its warm-up. Peak memory is that of the whole process, its latencies included; "
        "the Swift clients are one program, so each carries the libraries of all.",
        table(["", ""], [list(pair) for pair in shown]),
        "## Targets",
        table(["target", "figure", "limit", "met"], [target_row(verdict) for verdict in verdicts(found)]),
        "![CPU per request by client and concurrency](cpu.png)",
        "## PoolScope's client against others: CPU per request",
        base_table(samples, cells, CPU),
        "## PoolScope's client against others: requests per second",
        base_table(samples, cells, "requests_per_second"),
        "## Beside requests that stand still",
        "One request after the other with the instrumented client, while others hold a connection each, or queue.",
        quiet_table(found),
        "## Scrapes",
        f"One scrape of a pool with {ORIGINS} origins is read and rendered: {found.scrapes[0]['poolscope']['series']:,} "
        f"series, {found.scrapes[0]['poolscope']['bytes'] // 1024} KiB. client_golang gathers and writes the same series "
        "with the same values, as promhttp does it, from counters, gauges and histograms of its own.",
        scrape_table(found),
        f"The same load, 16 requests in flight, alone and beside {PER_SECOND} scrapes a second of the endpoint in the same "
        f"process: {len(next(iter(found.scraped.values())))} pairs, in turn the one and the other first. The ratio is "
        "the median of the pairs, and half of them lie between the two figures behind it. The scraper runs on the same "
        "machine and takes its part of the throughput; of the CPU time it is taken off.",
        scraped_table(found),
        "## Memory",
        "What the process has more for each that is held, after it gave back what was free: resident, and by the account "
        "of the allocator. Each kind is measured in a process of its own; figures are medians of the rounds. The connections "
        "were all busy at once before. What is allocated is what each holds; what is resident beyond it the allocator "
        "cannot give back, because something else lies on the same page.",
        memory_table(found),
        "## All figures",
        *(part for cell in cells for part in (f"### {cell.name}", cell_table(samples, cell))),
        "## What is missing",
        "\n".join([
            *(f"- {client} is not in the TLS tables: it {why}." for client, why in NO_TLS.items()),
            "- wrk does not check the server's certificate, and its CPU time is that of the whole process, start included.",
        ]),
    ]
    return "\n\n".join(parts) + "\n"
