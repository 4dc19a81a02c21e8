"""``impasto completion``."""

from typing import Annotated, Literal

from cyclopts import Parameter

from impasto.cli.terminal.streams import put
from impasto.errors import SettingsError


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"] | None, Parameter(help="The shell; the one in use unless given.")
    ] = None,
    /,
) -> None:
    """Print the script that lets a shell complete commands and options.

    Nothing is installed: keep what is printed where your shell looks for it.
    """
    from cyclopts.completion.detect import ShellDetectionError, detect_shell

    from impasto.cli import app

    try:
        put(app.generate_completion(prog_name="impasto", shell=shell or detect_shell()))
    except ShellDetectionError:
        raise SettingsError("No shell was recognized; name it: bash, zsh, fish or powershell.") from None
