"""What the other scripts share: the public modules of this package, built, and the compiler flags that import them."""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def public_modules():
    """The targets of the library products, in the order of the manifest."""
    manifest = (ROOT / "Package.swift").read_text()
    return [
        target
        for targets in re.findall(r"\.library\([^)]*targets: \[([^\]]*)\]", manifest)
        for target in re.findall(r'"([^"]+)"', targets)
    ]


def build():
    """Builds the public modules for debugging, as `make test` does, and returns the folder of the products.

    PoolScope brings all others but PoolMetricsBridge and PoolTesting.
    """
    for target in ["PoolScope", "PoolMetricsBridge", "PoolTesting"]:
        run(["swift", "build", "--quiet", "--target", target])
    shown = subprocess.run(["swift", "build", "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
    return pathlib.Path(shown.stdout.strip())


def import_flags(products):
    """The flags with which a compiler finds the modules in `products`, the C modules that they use included."""
    maps = sorted(products.glob("*.build/module.modulemap")) + sorted(ROOT.glob("Sources/*/module.modulemap"))
    maps += sorted(ROOT.glob(".build/checkouts/*/Sources/*/include/module.modulemap"))
    flags = ["-I", str(products / "Modules"), "-module-cache-path", str(products / "ModuleCache")]
    for module_map in maps:
        flags += ["-Xcc", f"-fmodule-map-file={module_map}"]
    return flags


def symbol_graphs(folder):
    """Writes the symbol graphs of the public modules, each into a folder of its own in `folder`."""
    products = build()
    target = subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True, text=True).stdout
    triple = json.loads(target)["target"]["triple"]
    for module in public_modules():
        output = folder / module
        output.mkdir(parents=True, exist_ok=True)
        for old in output.glob("*.symbols.json"):
            old.unlink()
        run(
            ["swift-symbolgraph-extract", "-module-name", module, "-target", triple]
            + import_flags(products)
            + ["-minimum-access-level", "public", "-skip-synthesized-members", "-skip-inherited-docs"]
            + ["-omit-extension-block-symbols"]
            + ["-output-dir", str(output)]
        )


def run(command):
    """Runs a command in the root of the package, and ends this process with its status where it fails."""
    status = subprocess.run(command, cwd=ROOT).returncode
    if status != 0:
        print(f"failed with status {status}: {command[0]} {command[1]}", file=sys.stderr)
        sys.exit(1)
