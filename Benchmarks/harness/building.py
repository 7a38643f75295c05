"""How the programs that measure are built."""

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
BUILT = HOME / ".build" / "bench"
# Where Debian's packages put Go's sources.
DEBIAN_GOPATH = "/usr/share/gocode"


def built(name: str) -> Path:
    BUILT.mkdir(parents=True, exist_ok=True)
    return BUILT / name


def c_program(name: str) -> Path:
    program = built(name)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libcurl"], check=True, capture_output=True,
                           text=True).stdout.split()
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(HOME / "C" / f"{name}.c"), *flags],
                   check=True)
    return program


def go_program(name: str, folder: str, environment: dict[str, str]) -> Path:
    program = built(name)
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=HOME / folder, check=True,
                   env={**os.environ, **environment})
    return program


def swift_program(product: str) -> Path:
    build = ["swift", "build", "-c", "release", "--package-path", str(HOME), "--product", product]
    if subprocess.run(build, stdout=sys.stderr).returncode != 0:
        raise SystemExit(f"{product} does not build")
    folder = subprocess.run([*build, "--show-bin-path"], check=True, capture_output=True, text=True).stdout.strip()
    return Path(folder) / product


def checked(command: list[str], what: object) -> str:
    """What a program prints. Raises where it fails."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        raise SystemExit(f"{Path(command[0]).name} failed ({what}):\n{result.stderr}")
    return result.stdout
