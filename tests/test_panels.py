"""The panels that settings stand in."""

from impasto.panels import PANELS
from impasto.settings import Settings


def test_every_setting_has_one_panel():
    """They hold every field of the settings once, and nothing else."""
    assert sorted(name for names in PANELS.values() for name in names) == sorted(Settings.model_fields)
