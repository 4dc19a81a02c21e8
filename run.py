"""Set up and run impasto with nothing but Python 3.11+ and pip.

python3 run.py demo     make .venv, install, stylize a bundled photo, say where the picture is
python3 run.py test     make .venv, install with the test tools, run the tests
python3 run.py check    the same, then lint, formatting and types
python3 run.py lowest   the same tests, few of them, with the lowest versions that pyproject.toml allows
python3 run.py docs     make .venv, install with the documentation tools, build the site in docs/_build/html
python3 run.py ARGS...  anything else goes to the impasto command: python3 run.py stylize photo.jpg painting.jpg -o out.png
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = ROOT / ".venv"
LOWEST = ROOT / "build" / "lowest"
FEW = (
    *("tests/test_dependencies.py", "tests/test_settings.py", "tests/images/test_writing.py"),
    *("tests/images/test_thumbnails.py", "tests/sounds/test_writing.py", "tests/signals/test_reading.py"),
    *(
        "tests/volumes/test_reading.py",
        "tests/volumes/test_writing.py",
        "tests/videos/test_writing.py",
        "tests/encoders/test_weights.py",
    ),
    *("tests/jobs/test_queue.py", "tests/jobs/test_database.py", "tests/studio/test_api.py"),
    *("tests/studio/test_hostile.py", "tests/cli/test_main.py", "tests/cli/test_stylize.py"),
)
"""Tests that between them use every package that is installed for users."""

EXTRAS = {
    **{word: word for word in ("sound", "signal", "volume", "video", "studio", "jobs")},
    "worker": "jobs",
}
"""What commands need beside the package itself."""


def python(home: Path = HOME) -> str:
    """An environment's own interpreter."""
    return str(home.joinpath(*(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python"))))


def install(extras: str, home: Path = HOME, *constraints: Path) -> None:
    """Make an environment and install the package into it, unless that was done for this pyproject already."""
    if sys.version_info < (3, 11):
        sys.exit(f"impasto needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    wanted = hashlib.sha256(
        (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    ).hexdigest()
    stamp = home / f"installed-{extras or 'base'}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not Path(python(home)).exists():
        print(f"Making a virtual environment in {home.relative_to(ROOT)} ...", flush=True)
        venv.create(home, with_pip=True)
    print("Installing impasto and what it needs (a few hundred megabytes the first time) ...", flush=True)
    target = f"{ROOT}[{extras}]" if extras else str(ROOT)
    command = [python(home), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    bounds = [word for path in (ROOT / "constraints.txt", *constraints) for word in ("--constraint", str(path))]
    subprocess.run([*command, *bounds, "--editable", target], check=True)
    stamp.write_text(wanted)


def lowest() -> str:
    """Make an environment of the lowest versions that pyproject.toml allows, and return its interpreter."""
    allowed = re.findall(r'"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    LOWEST.mkdir(parents=True, exist_ok=True)
    pins = LOWEST / "pins.txt"
    pins.write_text("".join(f"{name}=={version}\n" for name, version in allowed))
    install("test", LOWEST, pins)
    return python(LOWEST)


def browser() -> bool:
    """Whether there is a browser for the studio's tests; where the system's packages may be installed, one is."""
    if os.environ.get("IMPASTO_CHROMIUM") or any(map(shutil.which, ("chromium", "google-chrome"))):
        return True
    own = "import playwright.sync_api as p, pathlib\nwith p.sync_playwright() as d: print(d.chromium.executable_path)"
    found = subprocess.run([python(), "-c", own], capture_output=True, text=True, check=False).stdout.strip()
    if found and Path(found).exists():
        return True
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    print("Installing chromium, for the tests of the studio's page ...", flush=True)
    apt = ("apt-get", "-qq", "-o", "Dpkg::Use-Pty=0")
    for words in (("update",), ("install", "-y", "--no-install-recommends", "chromium")):
        nowhere = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*apt, *words], **nowhere, env=quiet, check=False)
    return shutil.which("chromium") is not None


def call(*arguments: str) -> None:
    """Run the environment's interpreter on a module or a script; leave with its exit code if it fails."""
    code = subprocess.run([python(), *arguments], cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


def tested(interpreter: str, *arguments: str) -> int:
    """Run pytest with a process per core, and return its exit code."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # else a crowd of threads on each core
    command = [interpreter, "-m", "pytest", "--numprocesses", "auto", "--dist", "loadfile", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main(arguments: list[str]) -> None:
    """Install what the word needs and run it."""
    word, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if word == "test":
        install("test")
        there = browser()
        code = tested(python(), *rest)
        if not there:
            print("The studio's page was not tested, for there is no browser: apt-get install chromium, and again.")
        sys.exit(code)
    elif word == "lowest":
        sys.exit(tested(lowest(), "-q", "-p", "no:cacheprovider", *(rest or FEW)))
    elif word == "check":
        install("test,check")
        call("-m", "ruff", "check", "--no-cache")  # its cache does not see that a folder became a package's name
        call("-m", "ruff", "format", "--check")
        call("-m", "mypy")
    elif word == "docs":
        install("docs")
        for builder in ("html", "doctest"):
            call("-m", "sphinx", "-W", "--keep-going", "-q", "-b", builder, "docs", f"docs/_build/{builder}")
        call("docs/check_site.py", "docs/_build/html")
    else:
        install(EXTRAS.get(word, "video" if "--film" in rest else ""))
        code = subprocess.run([python(), "-m", "impasto", word, *rest], check=False).returncode
        sys.exit(code)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(f"The installation failed (exit code {error.returncode}); pip's own message is above.")
    except KeyboardInterrupt:
        sys.exit(130)
