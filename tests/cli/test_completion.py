"""``impasto completion``."""

import pytest

from impasto.cli import COMMANDS


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_script_knows_commands_and_options(call, shell):
    """Every command is in it, and options made from the settings."""
    outcome = call("completion", shell)
    assert (outcome.code, outcome.err) == (0, "")
    assert all(
        name in outcome.out
        for name in (*(part for name in COMMANDS for part in name.split()), "style-scale", "protect")
    )


def test_a_shell_that_is_not_known(call, monkeypatch):
    """The one in use is asked for, and if there is none, by name."""

    def detect():
        raise ShellDetectionError

    from cyclopts.completion.detect import ShellDetectionError

    monkeypatch.setattr("cyclopts.completion.detect.detect_shell", detect)
    assert call("completion").err == "impasto: No shell was recognized; name it: bash, zsh, fish or powershell.\n"
    assert "Choose from" in call("completion", "tcsh").err
