"""Pictures of the boards, drawn by the preview in a headless Chromium."""

import pathlib
import re
import subprocess
import sys
import tempfile

from processes import DASHBOARDS

WIDTH, RANGE = 1400, 180  # pixels, seconds


def take(prometheus, boards, folder, height):
    """Writes NAME.png for each of `boards`, a dictionary of names to the variables that are chosen, as in an address.

    prometheus: the port of the Prometheus to draw from.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    preview = subprocess.Popen(
        [sys.executable, DASHBOARDS / "preview/serve.py", "--port", "0", "--prometheus", f"http://127.0.0.1:{prometheus}"],
        stdout=subprocess.PIPE, text=True,
    )
    try:
        url = re.search(r": (http://\S+)", preview.stdout.readline())[1]
        for name, chosen in boards.items():
            with tempfile.TemporaryDirectory() as profile:
                subprocess.run(
                    [
                        "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server",
                        "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
                        f"--user-data-dir={profile}", f"--window-size={WIDTH},{height}", "--virtual-time-budget=40000",
                        f"--screenshot={folder / name}.png", f"{url}?board={name}&range={RANGE}{chosen}",
                    ],
                    check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
                )
    finally:
        preview.kill()
        preview.wait()
