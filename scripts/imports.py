"""Fails where a target imports a module of this package, or of one that it depends on, without declaring it.

An incremental build finds such a module if another target happens to need it, and a build from nothing may not.
"""

import json
import re
import subprocess
import sys

from modules import ROOT

IMPORT = re.compile(r"^(?:@\w+(?:\(\w+\))? )*(?:(?:public|package|internal|private|fileprivate) )?import (\w+)", re.MULTILINE)
# Of the toolchain.
ALWAYS = {"CoreFoundation", "Dispatch", "Foundation", "FoundationEssentials", "FoundationXML", "Glibc", "PackageDescription",
          "Swift", "Synchronization", "Testing", "_Concurrency"}


def declared(target):
    for dependency in target["dependencies"]:
        kind, value = next(iter(dependency.items()))
        yield value[0]


def sources(target):
    folder = target.get("path") or ("Tests/" if target["type"] == "test" else "Sources/") + target["name"]
    return sorted((ROOT / folder).rglob("*.swift"))


def main():
    dump = subprocess.run(["swift", "package", "dump-package"], cwd=ROOT, check=True, capture_output=True, text=True)
    faults = []
    for target in json.loads(dump.stdout)["targets"]:
        allowed = set(declared(target)) | ALWAYS | {target["name"]}
        for file in sources(target):
            for module in IMPORT.findall(file.read_text()):
                if module not in allowed:
                    faults.append(f"{file.relative_to(ROOT)} imports {module}, which {target['name']} does not declare")
    if faults:
        sys.exit("\n".join(sorted(set(faults))))


main()
