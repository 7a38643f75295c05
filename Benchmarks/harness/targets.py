"""What the figures are held to."""

from dataclasses import dataclass
from statistics import median

from .clients import Cell
from .samples import CPU, Samples

# Measuring may cost so much more CPU than the bare client.
MOST_FOR_INSTRUMENTS = 1.03
# One busy request may cost so much more beside many that stand still.
MOST_BESIDE_STANDING = 1.3


@dataclass(frozen=True)
class Verdict:
    target: str
    figure: float
    limit: float

    @property
    def met(self) -> bool:
        return self.figure <= self.limit


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
    return instrumented + standing


def standing_ratios(quiet: list[dict], series: str, step: int) -> list[float]:
    """The cost at a step divided by the cost beside none, round by round."""
    return [each[series][step][CPU] / each[series][0][CPU] for each in quiet]
