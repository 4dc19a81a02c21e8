"""The files that a command writes: found fit before it runs, and none of them costs a person a file of theirs."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from impasto.cli.terminal.origin import made_here
from impasto.cli.terminal.streams import printable, put, put_json
from impasto.errors import SettingsError
from impasto.files import is_file

Overwrite = Annotated[
    bool,
    Parameter(show_default=False, help="Replace files that impasto did not make, too; what the run reads, never."),
]
DryRun = Annotated[
    bool,
    Parameter(show_default=False, help="Check everything, show what would be done and written, and stop there."),
]

_Seen = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Outputs:
    """The files that a command writes. Which they are is added to, and what was seen of them is kept in place.

    Args:
        inputs: the files that it reads.
        overwrite: whether files that impasto did not make are replaced.
        option: by which people ask for that.
        listed: what is written, for people: a file, or a pattern of files.
    """

    inputs: list[Path] = field(default_factory=list)
    overwrite: bool = False
    option: str = "--overwrite"
    listed: list[str] = field(default_factory=list)
    _seen: dict[Path, _Seen | None] = field(default_factory=dict)
    _several: list[Path] = field(default_factory=list)

    def add(self, path: Path, role: str) -> None:
        """One more file that is written.

        Args:
            path: the file.
            role: what it is, at the beginning of a sentence.

        Raises:
            SettingsError: if it is one that the command reads or writes already, or one that impasto did not make.
        """
        refuse_overwriting(path, self.inputs, role)
        for other in self._seen:
            if same_file(path, other):
                raise SettingsError(f"{role} and another output are both {path}; give them different names.")
        self._refuse_foreign(path, role)
        self._seen[path] = _seen(path)
        self.listed.append(str(path))

    def add_several(self, pattern: str, there: Iterable[Path], role: str) -> None:
        """Files whose names are known by a pattern alone.

        Args:
            pattern: for people.
            there: the files that bear such a name already.
            role: what they are, at the beginning of a sentence.

        Raises:
            SettingsError: as :meth:`add`.
        """
        for path in there:
            for other in (*self.inputs, *self._seen):
                if same_file(path, other):
                    raise SettingsError(f"{role} might overwrite {other}; rename the output.")
            self._refuse_foreign(path, role)
            self._several.append(path)
        self.listed.append(pattern)

    def add_checkpoint(self, folder: Path) -> None:
        """The folder of a checkpoint.

        Raises:
            CheckpointError: if it cannot be made or written to.
        """
        from impasto.runs.checkpoint import check_folder

        check_folder(folder)
        self.listed.append(f"the checkpoint in {folder}")

    def also_read(self, inputs: Sequence[Path]) -> None:
        """More files that the command reads, known later.

        Raises:
            SettingsError: if one of them is written.
        """
        self.inputs.extend(inputs)
        for path in (*self._seen, *self._several):
            refuse_overwriting(path, inputs, "The output")

    def claim(self, path: Path) -> None:
        """Make sure, right before it is written, that a file did not appear or change since it was found fit.

        Raises:
            SettingsError: if it did.
        """
        now = _seen(path)
        if now is None or self.overwrite:
            return
        changed = now != self._seen[path] if path in self._seen else not made_here(path)
        if changed:
            raise SettingsError(f"{path} was written by somebody else meanwhile and is not replaced.")

    def written(self, path: Path) -> None:
        """A file is now as the command has written it."""
        if path in self._seen:
            self._seen[path] = _seen(path)

    def show(self, *, as_json: bool = False) -> None:
        """Say which files would be written; as JSON their list, ``writes``."""
        if as_json:
            put_json({"writes": self.listed})
            return
        put(f"Would write {', '.join(map(printable, self.listed))}." if self.listed else "Would write no file.")

    def _refuse_foreign(self, path: Path, role: str) -> None:
        if not self.overwrite and os.path.lexists(path) and is_file(path) and not made_here(path):
            raise SettingsError(
                f"{role} {path} is there already and was not made by impasto; choose another name, or give {self.option}."
            )


def rehearse_folder(outputs: Outputs, folder: str, *, as_json: bool) -> int:
    """Say what a command on a folder's pictures would write, after a look for them, and return the exit code."""
    from impasto.images.folder import pictures_in

    pictures_in(folder)
    outputs.show(as_json=as_json)
    return 0


def refuse_overwriting(target: Path, inputs: Sequence[Path], option: str) -> None:
    """Refuse a target that is one of the files the run reads, or a file of others in a folder that it reads.

    Raises:
        SettingsError: naming the file.
    """
    for path in inputs:
        if target.suffix.lower() == ".dzi" and _is_in(path, target.with_name(f"{target.stem}_files")):
            raise SettingsError(f"{option} {target} would remove {path}, which the run reads; choose another name.")
        if same_file(target, path) or (_is_in(target, path) and not made_here(target)):
            raise SettingsError(f"{option} {target} would overwrite {path}, which the run reads; choose another name.")


def _is_in(file: Path, folder: Path) -> bool:
    """Whether a file is there and in a folder, which is read with all that is in it."""
    try:
        return folder.is_dir() and file.is_file() and folder.resolve() in file.resolve().parents
    except (OSError, ValueError):
        return False


def same_file(one: Path, other: Path) -> bool:
    """Whether two names mean one file, which need not exist yet."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        pass
    try:
        return os.path.realpath(one) == os.path.realpath(other)
    except ValueError:  # a null character: no file is called so
        return False


def _seen(path: Path) -> _Seen | None:
    """By what it is noticed that a file was replaced or changed; None where there is none, or something else."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return None if not stat.S_ISREG(found.st_mode) else (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
