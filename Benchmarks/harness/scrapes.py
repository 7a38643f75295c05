"""What a scrape costs, and what it costs the pool to be scraped."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from .building import DEBIAN_GOPATH, checked, go_program
from .upstream import SMALL_BYTES, Upstream

ORIGINS = 64
PER_SECOND = 100


class Scrapes:
    def __init__(self, swift: Path) -> None:
        self.swift = swift
        # Debian's packages have no module files.
        self.go = go_program("go_scrape", "Go/scrape", {"GO111MODULE": "off", "GOFLAGS": "", "GOPATH": DEBIAN_GOPATH})

    def cost(self, scrapes: int, golang_first: bool) -> dict[str, dict]:
        """One scrape of the same series by PoolScope and by client_golang."""
        with TemporaryDirectory(prefix="bench-") as folder:
            text = Path(folder) / "exposition"
            ours = [str(self.swift), "scrape", "--origins", str(ORIGINS), "--text", str(text)]
            golang = [str(self.go), "--text", str(text), "--scrapes", str(scrapes)]
            if golang_first:
                # It needs a text to imitate.
                checked([*ours, "--scrapes", "10"], "scrape")
                theirs = json.loads(checked(golang, "scrape"))
                mine = json.loads(checked([*ours, "--scrapes", str(scrapes)], "scrape"))
            else:
                mine = json.loads(checked([*ours, "--scrapes", str(scrapes)], "scrape"))
                theirs = json.loads(checked(golang, "scrape"))
        if mine["series"] != theirs["series"]:
            raise SystemExit(f"{mine['series']} series here, {theirs['series']} in client_golang")
        return {"poolscope": mine, "client_golang": theirs}

    def beside_load(self, upstream: Upstream, origins: int, requests: int, pairs: int) -> list[dict]:
        """Pairs of the same load, beside scrapes and alone."""
        command = [str(self.swift), "scraped", "--url", upstream.url(SMALL_BYTES, False), "--bytes", str(SMALL_BYTES),
                   "--requests", str(requests), "--pairs", str(pairs), "--rate", str(PER_SECOND),
                   "--origins", str(origins)]
        return json.loads(checked(command, "load beside scrapes"))["pairs"]
