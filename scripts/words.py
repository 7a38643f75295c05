"""Looks for words that read as private jargon in comments, errors and documentation.

CONTRIBUTING.md says what to write instead.
"""

import re
import sys

from modules import ROOT

# Matched across the end of a line, also of a comment.
GAP = r"(?:\s|/)+"
BANNED = re.compile(rf"\b(heard|told|stands?{GAP}still|in{GAP}sight|is{GAP}none)\b", re.IGNORECASE)
DOCUMENTS = ["README.md", "CHANGELOG.md", "SECURITY.md", "Sources/*/*.docc/*.md"]
SOURCES = ["Sources/**/*.swift", "Examples/*/Sources/**/*.swift"]


def main():
    found = []
    for pattern in DOCUMENTS + SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text()
            for match in BANNED.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(ROOT)}:{line}: {' '.join(match.group(0).split())}")
    if found:
        sys.exit("\n".join(found))


main()
