"""The names that the package offers, and what importing it costs."""

import importlib
import inspect
import subprocess
import sys

import pytest

import impasto


def test_names_are_few():
    """Few, sorted, and each of them there under its own name with a docstring."""
    assert len(impasto.__all__) <= 12
    assert sorted(impasto.__all__) == list(impasto.__all__)
    for name in impasto.__all__:
        found = getattr(impasto, name)
        assert found.__name__ == name
        assert inspect.getdoc(found)
        assert found.__module__.startswith("impasto.")


def test_nothing_else_is_public():
    """What a user sees after completing ``impasto.`` is what ``__all__`` says, and the rooms of the package."""
    names = {
        name for name in vars(impasto) if not name.startswith("_") and not inspect.ismodule(getattr(impasto, name))
    }
    assert names <= {*impasto.__all__, "TYPE_CHECKING", "Any"}
    assert set(impasto.__all__) <= set(dir(impasto))


def test_the_homes_of_names_are_those_of_the_type_checker():
    """A name that is imported lazily is the one that type checkers see."""
    source = inspect.getsource(impasto)
    checked = source.partition("if TYPE_CHECKING:\n")[2].partition("\n__all__")[0]
    seen = {}
    for line in checked.strip().splitlines():
        _, home, _, names = line.strip().split(" ", 3)
        seen |= dict.fromkeys(names.split(", "), home)
    for name, home in seen.items():
        assert getattr(impasto, name) is getattr(importlib.import_module(home), name)
    assert set(seen) == set(impasto.__all__)


def test_a_star_brings_all():
    """Lazily imported or not."""
    space = {}
    exec("from impasto import *", space)  # the statement itself is tested
    assert set(impasto.__all__) == set(space) - {"__builtins__"}


def test_an_unknown_name_is_an_attribute_error():
    """As for any module."""
    with pytest.raises(AttributeError, match="module 'impasto' has no attribute 'stylise'"):
        _ = impasto.stylise


def test_importing_waits_for_nothing():
    """``import impasto`` imports neither torch nor pydantic, prints nothing and warns of nothing."""
    code = "import sys, impasto; assert impasto.__version__; print({'torch', 'pydantic', 'PIL'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("set()\n", "")
