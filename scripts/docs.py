"""Builds the documentation into .build/docs. A warning is an error."""

import re
import shutil
import subprocess
import sys

from modules import ROOT, public_modules, symbol_graphs

FOLDER = ROOT / ".build" / "docs"
GRAPHS = ROOT / ".build" / "symbol-graphs"


def docc(arguments):
    """Runs docc, and shows what it says only where it fails: it writes empty lines otherwise."""
    result = subprocess.run(["docc"] + arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(result.stdout.strip())


def check_suites():
    """The comparison with other clients names test suites as its evidence: they must exist."""
    article = (ROOT / "Sources/PoolScope/PoolScope.docc/ComparedWithOtherClients.md").read_text()
    cells = [line.split(" | ")[-1] for line in article.splitlines() if line.startswith("| ")]
    named = {suite for cell in cells for suite in re.findall(r"\*([^*]+)\*", cell)}
    tests = "\n".join(path.read_text() for path in ROOT.glob("Tests/**/*.swift"))
    missing = sorted(named - set(re.findall(r'@Suite\(\s*"([^"]+)"', tests)))
    if missing:
        sys.exit(f"ComparedWithOtherClients.md names suites that do not exist: {', '.join(missing)}")


def main():
    check_suites()
    symbol_graphs(GRAPHS)
    shutil.rmtree(FOLDER, ignore_errors=True)
    archives = FOLDER / "archives"
    archives.mkdir(parents=True)
    for module in public_modules():
        catalog = ROOT / "Sources" / module / f"{module}.docc"
        docc(
            ["convert"]
            + ([str(catalog)] if catalog.exists() else [])
            + ["--additional-symbol-graph-dir", str(GRAPHS / module)]
            + ["--fallback-display-name", module, "--fallback-bundle-identifier", f"poolscope.{module}"]
            + ["--fallback-default-module-kind", "Module"]
            + ["--warnings-as-errors", "--output-path", str(archives / f"{module}.doccarchive")]
        )
    docc(
        ["merge"]
        + [str(archives / f"{module}.doccarchive") for module in public_modules()]
        + ["--synthesized-landing-page-name", "PoolScope", "--output-path", str(FOLDER / "PoolScope.doccarchive")]
    )
    shutil.rmtree(archives)
    print(f"{FOLDER / 'PoolScope.doccarchive'} begins at documentation/poolscope")


main()
