"""cpu.png: CPU per request by client and concurrency."""

from pathlib import Path

import matplotlib

from .clients import CLIENTS, Cell
from .samples import CPU, Samples

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (after the choice of a backend without a display)

STYLES = {
    "c-libcurl": ("black", "-"), "wrk": ("grey", ":"), "curlpool-bare": ("tab:blue", "-"),
    "curlpool-instrumented": ("tab:cyan", "--"), "curlpool-executor": ("tab:pink", "-"), "async-http-client": ("tab:orange", "-"),
    "urlsession": ("tab:red", "-"), "go-net-http": ("tab:green", "-"), "httpx": ("tab:purple", "-"),
}


def draw(samples: Samples, cells: list[Cell], file: Path) -> None:
    """One line for each client; cost and concurrency on logarithmic axes."""
    figure, axes = pyplot.subplots(figsize=(9, 5.5))
    for client in CLIENTS:
        places = [cell for cell in cells if samples.has(cell, client)]
        color, line = STYLES[client]
        costs = [samples.median(cell, client, CPU) for cell in places]
        axes.plot([cell.concurrency for cell in places], costs, color=color, linestyle=line, marker="o", label=client)
    axes.set(xscale="log", yscale="log", xlabel="requests in flight", ylabel="CPU µs per request",
             title=f"GET of {cells[0].size} bytes, kept-alive HTTP/1.1 on loopback: lower is better")
    axes.set_xticks([cell.concurrency for cell in cells], labels=[str(cell.concurrency) for cell in cells])
    axes.minorticks_off()
    low, high = axes.get_ylim()
    ticks = [tick for power in range(7) for tick in (10**power, 2 * 10**power, 5 * 10**power) if low <= tick <= high]
    axes.set_yticks(ticks, labels=[f"{tick:,}" for tick in ticks])
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    figure.savefig(file, dpi=120, bbox_inches="tight")
    pyplot.close(figure)
