"""Compiles every block of Swift in the README and in the documentation catalogs, without generating code.

A block is the body of an asynchronous, throwing function, with `import PoolScope` unless it has imports of its own. HTML
comments, which no reader sees, say what else it needs:

    <!-- preamble              before the first block: code that comes before every block of the file; its
    let logger = …             imports are added to those of the block
    -->
    <!-- snippet: manifest -->        the block is a whole Package.swift; its products must be products of this package
    <!-- snippet: excerpt PATH -->    the block is a part of a file that something else compiles
"""

import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

from modules import ROOT, build, import_flags

FOLDER = ROOT / ".build" / "snippets"
IMPORT = re.compile(r"^\s*import \w+$")
PREAMBLE = re.compile(r"<!-- preamble\n(.*?)-->", re.DOTALL)
BLOCK = re.compile(r"(?:<!-- snippet: ([^>]*) -->\n+)?^( *)```swift\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def documents():
    return [ROOT / "README.md"] + sorted(ROOT.glob("Sources/*/*.docc/*.md"))


def code(text, is_import=False):
    """The lines that are imports, or those that are not, which keep their number."""
    if is_import:
        return [line.strip() for line in text.splitlines() if IMPORT.match(line)]
    return ["" if IMPORT.match(line) else line for line in text.splitlines()]


def source(block, number, preamble, location):
    imports = code(block, is_import=True) or ["import PoolScope"]
    lines = imports + code(preamble, is_import=True)
    # In a scope of its own, so that the block may declare what the preamble has declared.
    lines += [f"private func snippet{number}() async throws {{"] + [line for line in code(preamble) if line] + ["do {"]
    return "\n".join(lines + [location] + code(block) + ["#sourceLocation()", "}", "}"]) + "\n"


def check_excerpt(block, path):
    """A block may leave out the indentation of the file."""
    text = (ROOT / path).read_text()
    lines = [line.strip() for line in block.strip().splitlines()]
    return "\n".join(lines) in "\n".join(line.strip() for line in text.splitlines())


def check_manifest(block, path):
    """Compiles a manifest, and looks its products up."""
    path.write_text(block)
    swiftc = pathlib.Path(shutil.which("swiftc")).resolve()
    manifests = swiftc.parent.parent / "lib" / "swift" / "pm" / "ManifestAPI"
    products = re.findall(r'\.library\(name: "(\w+)"', (ROOT / "Package.swift").read_text())
    unknown = [
        name for name in re.findall(r'\.product\(name: "(\w+)", package: "poolscope"\)', block) if name not in products
    ]
    command = ["swiftc", "-typecheck", "-package-description-version", "6.2.0", "-I", str(manifests), str(path)]
    return not unknown and subprocess.run(command).returncode == 0


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    sources, failures, count = [], [], 0
    for document in documents():
        text = document.read_text()
        preamble = "\n".join(match.group(1) for match in PREAMBLE.finditer(text))
        for match in BLOCK.finditer(text):
            count += 1
            kind, block = (match.group(1) or "body").split(), textwrap.dedent(match.group(3))
            line = text.count("\n", 0, match.start(3)) + 1
            place = f"{document.relative_to(ROOT)}:{line}"
            if kind[0] == "excerpt":
                if not check_excerpt(block, kind[1]):
                    failures.append(f"{place}: not a part of {kind[1]}")
            elif kind[0] == "manifest":
                if not check_manifest(block, FOLDER / "Package.swift"):
                    failures.append(f"{place}: not a manifest with products of this package")
            elif kind[0] == "body":
                location = f'#sourceLocation(file: "{document}", line: {line})'
                path = FOLDER / f"Snippet{count}.swift"
                path.write_text(source(block, count, preamble, location))
                sources.append(str(path))
            else:
                failures.append(f"{place}: no such kind of snippet: {kind[0]}")
    command = ["swiftc", "-typecheck", "-parse-as-library", "-swift-version", "6", "-suppress-warnings"]
    command += ["-module-name", "Snippets"] + import_flags(build()) + sources
    if subprocess.run(command).returncode != 0:
        failures.append("a snippet does not compile")
    if failures:
        sys.exit("\n".join(failures))
    print(f"{count} snippets compile")


main()
