"""Compares the public API with the baseline in api/, or renews it with --renew.

A baseline has one file for each public module, with a line for each public declaration and each conformance.
"""

import difflib
import functools
import json
import subprocess
import sys

from modules import ROOT, public_modules, symbol_graphs

BASELINE = ROOT / "api"
GRAPHS = ROOT / ".build" / "symbol-graphs"
# Every type that can be copied conforms to these, so they say nothing.
IMPLIED = {"Swift.Copyable", "Swift.Escapable", "Swift.SendableMetatype"}


def declarations(module):
    """The lines of a module, sorted."""
    graphs = [json.loads(path.read_text()) for path in sorted((GRAPHS / module).glob("*.symbols.json"))]
    names = {
        symbol["identifier"]["precise"]: ".".join(symbol["pathComponents"])
        for graph in graphs
        for symbol in graph["symbols"]
    }
    lines = set()
    for graph in graphs:
        for symbol in graph["symbols"]:
            if symbol["accessLevel"] not in ("public", "open"):
                continue
            declaration = "".join(fragment["spelling"] for fragment in symbol.get("declarationFragments", []))
            kind = symbol["kind"]["identifier"].removeprefix("swift.")
            lines.add(f"{kind} {names[symbol['identifier']['precise']]}: {' '.join(declaration.split())}")
        for relation in graph["relationships"]:
            target = names.get(relation["target"]) or relation.get("targetFallback") or demangled(relation["target"])
            source = names.get(relation["source"]) or demangled(relation["source"])
            if relation["kind"] in ("conformsTo", "inheritsFrom") and target not in IMPLIED:
                lines.add(f"conformance {source}: {target}")
    return sorted(lines)


@functools.cache
def demangled(identifier):
    """The name of a type or protocol of another module."""
    command = ["swift-demangle", "--compact", "$" + identifier.replace(":", "")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main():
    symbol_graphs(GRAPHS)
    modules = public_modules()
    if "--renew" in sys.argv:
        BASELINE.mkdir(exist_ok=True)
        for old in BASELINE.glob("*.txt"):
            old.unlink()
        for module in modules:
            (BASELINE / f"{module}.txt").write_text("".join(line + "\n" for line in declarations(module)))
        print("api/ is renewed; describe the change in CHANGELOG.md, under Unreleased")
        return
    stored = {path.stem for path in BASELINE.glob("*.txt")}
    difference = [f"{name}: no such product any more" for name in sorted(stored - set(modules))]
    for module in modules:
        path = BASELINE / f"{module}.txt"
        old = path.read_text().splitlines() if path.exists() else []
        difference += difflib.unified_diff(old, declarations(module), f"api/{module}.txt", module, lineterm="", n=0)
    if difference:
        print("\n".join(difference))
        sys.exit("the public API differs from api/: run `make api-baseline`, and describe the change in CHANGELOG.md")
    print(f"the public API of {len(modules)} modules is that of api/")


main()
