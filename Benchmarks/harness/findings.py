"""All that was measured."""

from dataclasses import dataclass, field
from statistics import median

from .clients import Cell
from .samples import CPU, Samples


@dataclass
class Findings:
    cells: list[Cell]
    rounds: int
    is_quick: bool
    samples: Samples = field(default_factory=Samples)
    # One for each round: a busy request beside some that stand still, ...
    quiet: list[dict] = field(default_factory=list)
    # ... a scrape here and in client_golang, ...
    scrapes: list[dict[str, dict]] = field(default_factory=list)
    # ... and what is held of each kind.
    memory: list[dict[str, dict]] = field(default_factory=list)
    # Pairs of loads, of all rounds, by the number of origins in the pool.
    scraped: dict[int, list[dict]] = field(default_factory=dict)

    def standing_ratios(self, series: str, step: int) -> list[float]:
        """The cost at a step divided by the cost beside none, round by round."""
        return [each[series][step][CPU] / each[series][0][CPU] for each in self.quiet]

    def scrape(self, who: str, part: str, figure: str) -> float:
        """The median of a figure of one scrape."""
        return median(each[who][part][figure] for each in self.scrapes)

    def scrape_ratios(self, figure: str) -> list[float]:
        """PoolScope's scrape divided by client_golang's of the same round."""
        return [each["poolscope"]["pool"][figure] / each["client_golang"]["pool"][figure] for each in self.scrapes]

    def scraped_ratios(self, origins: int, figure: str) -> list[float]:
        """A load beside scrapes divided by the same load alone, pair by pair."""
        return [pair[f"{figure}_ratio"] for pair in self.scraped[origins]]

    def held_kib(self, subject: str, figure: str = "resident_bytes") -> float:
        """The median of what one of a kind takes."""
        return median(each[subject][figure] for each in self.memory) / 1024

    def more_kib(self, subject: str, base: str, figure: str = "resident_bytes") -> float:
        """How much more one of a kind takes than one of another."""
        return median(each[subject][figure] - each[base][figure] for each in self.memory) / 1024
