"""What was measured: a sample for each cell, client and round. Ratios are taken within a round."""

from statistics import median

from .clients import Cell

CPU = "cpu_us_per_request"


class Samples:
    def __init__(self) -> None:
        self.rounds: dict[tuple[Cell, str], list[dict]] = {}

    def add(self, cell: Cell, client: str, sample: dict) -> None:
        sample["requests_per_second"] = sample["requests"] / sample["seconds"]
        self.rounds.setdefault((cell, client), []).append(sample)

    def has(self, cell: Cell, client: str) -> bool:
        return (cell, client) in self.rounds

    def median(self, cell: Cell, client: str, figure: str) -> float:
        return median(sample[figure] for sample in self.rounds[cell, client])

    def ratios(self, cell: Cell, client: str, base: str, figure: str) -> list[float]:
        """The client's figure divided by the base's figure of the same round."""
        pairs = zip(self.rounds[cell, client], self.rounds[cell, base], strict=True)
        return [mine[figure] / theirs[figure] for mine, theirs in pairs]
