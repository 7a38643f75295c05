"""RESULTS.md."""

from datetime import date
from statistics import median

from .clients import CLIENTS, NO_TLS, Cell
from .machine import machine, versions
from .samples import CPU, Samples
from .targets import standing_ratios, verdicts

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


def quiet_table(quiet: list[dict]) -> str:
    rows = []
    for series, where in (("streams", "open, without an answer"), ("queued", "in the queue of another origin")):
        for step, figures in enumerate(quiet[0][series]):
            cost = median(each[series][step][CPU] for each in quiet)
            rows.append([f"{figures['standing']:,} {where}", number(cost), spread(standing_ratios(quiet, series, step))])
    return table(["requests that stand still", "CPU µs/request", "÷ beside none"], rows)


def markdown(samples: Samples, cells: list[Cell], quiet: list[dict], rounds: int, quick: bool) -> str:
    judged = [[verdict.target, f"{verdict.figure:.3f}", f"{'≥' if verdict.is_floor else '≤'} {verdict.limit:.2f}", "yes" if verdict.met else "**no**"]
              for verdict in verdicts(samples, cells, quiet)]
    shown = [(name, value) for name, value in [*machine(), *versions(), ("date", date.today().isoformat())]]
    parts = [
        "# Results",
        "Written by `make bench`. Do not edit: run it again.",
        *(["**A quick run, to see that everything works. Its figures mean nothing.**"] if quick else []),
        "Every client GETs from one nginx on loopback with one worker, over kept-alive HTTP/1.1 connections, reads "
        f"whole bodies, and is a process of its own. {rounds} rounds; in each every client runs once at every place, "
        "in an order that rotates. Figures are medians of the rounds. A ratio divides two figures of the same round; "
        "the number in bold is the median, and each round's ratio stands behind it. CPU is user and system time of the "
        "whole client process, without its warm-up. Peak memory is that of the whole process, its latencies included; "
        "the Swift clients are one program, so each carries the libraries of all.",
        table(["", ""], [list(pair) for pair in shown]),
        "## Targets",
        table(["target", "figure", "limit", "met"], judged),
        "![CPU per request by client and concurrency](cpu.png)",
        "## PoolScope's client against others: CPU per request",
        base_table(samples, cells, CPU),
        "## PoolScope's client against others: requests per second",
        base_table(samples, cells, "requests_per_second"),
        "## Beside requests that stand still",
        "One request after the other with the instrumented client, while others hold a connection each, or queue.",
        quiet_table(quiet),
        "## All figures",
        *(part for cell in cells for part in (f"### {cell.name}", cell_table(samples, cell))),
        "## What is missing",
        "\n".join([
            *(f"- {client} is not in the TLS tables: it {why}." for client, why in NO_TLS.items()),
            "- wrk does not check the server's certificate, and its CPU time is that of the whole process, start included.",
        ]),
    ]
    return "\n\n".join(parts) + "\n"
