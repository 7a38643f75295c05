"""What the figures are held to."""

from dataclasses import dataclass
from statistics import median

from .findings import Findings
from .samples import CPU
from .scrapes import ORIGINS, PER_SECOND
from .upstream import SMALL_BYTES

# Measuring may cost so much more CPU than the bare client.
MOST_FOR_INSTRUMENTS = 1.03
# The instrumented client against the others: CPU per request at most, throughput at least so many times theirs.
MOST_CPU = {"c-libcurl": 1.25, "go-net-http": 1.0, "async-http-client": 0.5}
LEAST_THROUGHPUT = {"c-libcurl": 0.9, "async-http-client": 1.5}
MOST_LATENCY_ALONE = 1.15
# One busy request may cost so much more beside many that stand still.
MOST_BESIDE_STANDING = 1.3
# A scrape of a pool with many origins, and the same in client_golang.
MOST_SCRAPE_MICROSECONDS = 300
MOST_SCRAPE_TO_GOLANG = 0.5
# What is left of the throughput while the pool is scraped all the time.
LEAST_THROUGHPUT_SCRAPED = 0.99
# What one more may take of memory, beyond libcurl's part and the caller's.
MOST_KIB_FOR_IDLE = 10
MOST_KIB_FOR_QUEUED = 1


@dataclass(frozen=True)
class Verdict:
    target: str
    figure: float
    limit: float
    is_floor: bool = False

    @property
    def met(self) -> bool:
        return self.figure >= self.limit if self.is_floor else self.figure <= self.limit


def verdicts(found: Findings) -> list[Verdict]:
    return instruments(found) + against_others(found) + standing(found) + scraping(found) + memory(found)


def instruments(found: Findings) -> list[Verdict]:
    return [
        Verdict(f"CPU of instrumented ÷ bare, {cell.name}",
                median(found.samples.ratios(cell, "curlpool-instrumented", "curlpool-bare", CPU)), MOST_FOR_INSTRUMENTS)
        for cell in found.cells if found.samples.has(cell, "curlpool-instrumented")
    ]


def against_others(found: Findings) -> list[Verdict]:
    """The instrumented client, and the same on the pool's own thread, against the peers, on small bodies."""
    samples, verdicts = found.samples, []
    for client in ("curlpool-instrumented", "curlpool-executor"):
        for cell in (cell for cell in found.cells if samples.has(cell, client) and cell.size == SMALL_BYTES):
            if cell.concurrency == 1:
                ratio = median(samples.ratios(cell, client, "c-libcurl", "p50_us"))
                verdicts.append(Verdict(f"p50 of {client} ÷ c-libcurl, {cell.name}", ratio, MOST_LATENCY_ALONE))
                continue
            verdicts += [Verdict(f"CPU of {client} ÷ {peer}, {cell.name}",
                                 median(samples.ratios(cell, client, peer, CPU)), limit)
                         for peer, limit in MOST_CPU.items()]
            verdicts += [Verdict(f"throughput of {client} ÷ {peer}, {cell.name}",
                                 median(samples.ratios(cell, client, peer, "requests_per_second")), limit, is_floor=True)
                         for peer, limit in LEAST_THROUGHPUT.items()]
    return verdicts


def standing(found: Findings) -> list[Verdict]:
    return [
        Verdict(f"CPU beside {found.quiet[0][series][step]['standing']:,} {series} ÷ beside none",
                median(found.standing_ratios(series, step)), MOST_BESIDE_STANDING)
        for series in ("streams", "bodies", "queued") for step in (1, 2)
    ]


def scraping(found: Findings) -> list[Verdict]:
    return [
        Verdict(f"µs of one scrape, {ORIGINS} origins", found.scrape("poolscope", "whole", "us"),
                MOST_SCRAPE_MICROSECONDS),
        Verdict(f"scrape ÷ client_golang, {ORIGINS} origins", median(found.scrape_ratios("us")), MOST_SCRAPE_TO_GOLANG),
        *(Verdict(f"throughput beside {PER_SECOND} scrapes/s ÷ alone, {plural(origins)}",
                  median(found.scraped_ratios(origins, "throughput")), LEAST_THROUGHPUT_SCRAPED, is_floor=True)
          for origins in found.scraped),
    ]


def memory(found: Findings) -> list[Verdict]:
    ways = {"allocated": "allocated_bytes", "resident": "resident_bytes"}
    return [
        *(Verdict(f"KiB {way} for an idle connection, beyond libcurl's in one cache",
                  found.more_kib("connections", "libcurl", figure), MOST_KIB_FOR_IDLE) for way, figure in ways.items()),
        *(Verdict(f"KiB {way} for a queued request, beyond its task",
                  found.more_kib("queued", "tasks", figure), MOST_KIB_FOR_QUEUED) for way, figure in ways.items()),
    ]


def plural(origins: int) -> str:
    return f"{origins} origin{'s' if origins > 1 else ''}"
