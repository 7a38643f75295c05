"""What the figures are held to."""

from dataclasses import dataclass
from statistics import median

from .clients import Cell
from .samples import CPU, Samples
from .upstream import SMALL_BYTES

# Measuring may cost so much more CPU than the bare client.
MOST_FOR_INSTRUMENTS = 1.03
# The instrumented client against the others: CPU per request at most, throughput at least so many times theirs.
MOST_CPU = {"c-libcurl": 1.25, "go-net-http": 1.0, "async-http-client": 0.5}
LEAST_THROUGHPUT = {"c-libcurl": 0.9, "async-http-client": 1.5}
MOST_LATENCY_ALONE = 1.15
# One busy request may cost so much more beside many that stand still.
MOST_BESIDE_STANDING = 1.3


@dataclass(frozen=True)
class Verdict:
    target: str
    figure: float
    limit: float
    is_floor: bool = False

    @property
    def met(self) -> bool:
        return self.figure >= self.limit if self.is_floor else self.figure <= self.limit


def verdicts(samples: Samples, cells: list[Cell], quiet: list[dict]) -> list[Verdict]:
    instrumented = [
        Verdict(f"CPU of instrumented ÷ bare, {cell.name}",
                median(samples.ratios(cell, "curlpool-instrumented", "curlpool-bare", CPU)), MOST_FOR_INSTRUMENTS)
        for cell in cells if samples.has(cell, "curlpool-instrumented")
    ]
    standing = [
        Verdict(f"CPU beside {quiet[0][series][step]['standing']:,} {series} ÷ beside none",
                median(standing_ratios(quiet, series, step)), MOST_BESIDE_STANDING)
        for series in ("streams", "queued") for step in (1, 2)
    ]
    return instrumented + against_others(samples, cells) + standing


def against_others(samples: Samples, cells: list[Cell]) -> list[Verdict]:
    """The instrumented client, and the same on the pool's own thread, against the peers, on small bodies."""
    found = []
    for client in ("curlpool-instrumented", "curlpool-executor"):
        for cell in (cell for cell in cells if samples.has(cell, client) and cell.size == SMALL_BYTES):
            if cell.concurrency == 1:
                ratio = median(samples.ratios(cell, client, "c-libcurl", "p50_us"))
                found.append(Verdict(f"p50 of {client} ÷ c-libcurl, {cell.name}", ratio, MOST_LATENCY_ALONE))
                continue
            found += [Verdict(f"CPU of {client} ÷ {peer}, {cell.name}",
                              median(samples.ratios(cell, client, peer, CPU)), limit)
                      for peer, limit in MOST_CPU.items()]
            found += [Verdict(f"throughput of {client} ÷ {peer}, {cell.name}",
                              median(samples.ratios(cell, client, peer, "requests_per_second")), limit, is_floor=True)
                      for peer, limit in LEAST_THROUGHPUT.items()]
    return found


def standing_ratios(quiet: list[dict], series: str, step: int) -> list[float]:
    """The cost at a step divided by the cost beside none, round by round."""
    return [each[series][step][CPU] / each[series][0][CPU] for each in quiet]
