"""What pyproject.toml says of other packages: everything imported is declared, with the lowest version that does."""

import ast
import importlib.metadata
import re
import runpy
import sys
import tomllib
from pathlib import Path

import pytest

import impasto
from impasto.cli import COMMANDS

SOURCE = Path(impasto.__file__).parent
PROJECT = SOURCE.parents[1] / "pyproject.toml"
EXTRAS = ("sound", "signal", "video", "volume", "jobs", "studio")

pytestmark = pytest.mark.skipif(not PROJECT.is_file(), reason="there is no pyproject.toml beside an installed package")


def declared():
    """The requirements for users, as written."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]


def imported():
    """The packages that the source imports, wherever it does, that neither Python nor impasto brings."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"impasto"}


def test_what_is_imported_is_declared():
    """No package is there only because another one happens to bring it."""
    names = {re.match(r"[\w.-]+", one)[0].lower().replace("_", "-") for one in declared()}
    owners = importlib.metadata.packages_distributions()
    missing = {name for name in imported() if not {o.lower().replace("_", "-") for o in owners[name]} & names}
    assert missing == set()


def test_every_requirement_has_a_lowest_version():
    """Which the command ``python3 run.py lowest`` installs and tries."""
    loose = [one for one in declared() if not re.search(r"[=>]=\d", one) and not one.startswith("impasto[")]
    assert loose == []


def test_the_set_up_installs_what_a_command_needs():
    """Every extra belongs to a command of its name, or is that of the queue's worker."""
    told = runpy.run_path(str(PROJECT.with_name("run.py")))
    assert set(told["EXTRAS"].values()) == set(EXTRAS)
    assert {word for word, extra in told["EXTRAS"].items() if word != extra} == {"worker"}
    assert told["EXTRAS"].keys() <= {name.partition(" ")[0] for name in COMMANDS}
