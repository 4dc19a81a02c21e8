"""Who is asking: keys from a file, sessions for browsers, and patience with wrong guesses."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from impasto.errors import SettingsError

COOKIE = "impasto_session"
SESSION_SECONDS = 14 * 24 * 3600
SHORTEST_KEY = 12

_SESSIONS = 1000  # kept at the same time; the oldest goes first
_GUESSES, _PATIENCE = 8, 60.0  # wrong keys from one address within so many seconds


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


@dataclass
class Access:
    """The keys that open this server, if it is locked at all.

    Keys are compared as SHA-256 digests in constant time, against every user's, so that neither the time nor the
    answer says which part of a guess was right. Sessions live in memory: a restart or a logout ends them for good.
    """

    keys: Mapping[str, bytes] = field(default_factory=dict)
    _sessions: OrderedDict[bytes, tuple[str, float]] = field(default_factory=OrderedDict)
    _wrong: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, secrets_by_user: Mapping[str, str]) -> "Access":
        """Access by one key per user; with no user everyone gets in.

        Raises:
            SettingsError: if a key is too short to withstand guessing, or two users share one.
        """
        for user, key in secrets_by_user.items():
            if len(key) < SHORTEST_KEY:
                raise SettingsError(
                    f"The key of {user or 'the studio'} has {len(key)} characters; give it at least {SHORTEST_KEY}, "
                    "for example the output of: openssl rand -hex 16."
                )
        if len(set(secrets_by_user.values())) < len(secrets_by_user):
            raise SettingsError("Two users have the same key, which is what tells them apart; give each their own.")
        return cls({user: _digest(key) for user, key in secrets_by_user.items()})

    @property
    def locked(self) -> bool:
        """Whether a key is needed."""
        return bool(self.keys)

    def user_of_key(self, key: str, address: str) -> str | None:
        """The user whose key this is, or None.

        Raises:
            TimeoutError: if this address has guessed wrong too often of late.
        """
        if self.seconds_to_wait(address) > 0:
            raise TimeoutError
        given, found = _digest(key), None
        for user, known in self.keys.items():
            if hmac.compare_digest(given, known):
                found = user
        if found is None:
            self._wrong.setdefault(address, []).append(time.monotonic())
        return found

    def seconds_to_wait(self, address: str) -> float:
        """How long this address must wait before it may guess again."""
        now = time.monotonic()
        for known in [name for name, times in self._wrong.items() if now - times[-1] > _PATIENCE]:
            del self._wrong[known]
        recent = [moment for moment in self._wrong.get(address, []) if now - moment < _PATIENCE]
        return _PATIENCE - (now - recent[-_GUESSES]) if len(recent) >= _GUESSES else 0.0

    def open_session(self, user: str) -> str:
        """A fresh session's token, for a cookie."""
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = (user, time.time() + SESSION_SECONDS)
        while len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def user_of_session(self, token: str) -> str | None:
        """The user whose session this is, or None if there is none, or not any more."""
        user, end = self._sessions.get(_digest(token), ("", 0.0))
        return user if time.time() < end else None

    def close_session(self, token: str) -> None:
        """End a session; its token opens nothing any more."""
        self._sessions.pop(_digest(token), None)


def keys_from(path: Path) -> dict[str, str]:
    """The keys in a file: one key alone, or a line ``name: key`` per user; ``#`` begins a comment.

    Raises:
        SettingsError: if the file cannot be read, or is neither.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors may put a mark before it
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a null character in the path
        raise SettingsError(f"The key file {path} cannot be read ({error}); name a text file.") from None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) == 1 and ":" not in lines[0]:
        return {"": lines[0]}
    pairs = [(name.strip(), key.strip()) for name, _, key in (line.partition(":") for line in lines)]
    if not pairs or not all(name and key for name, key in pairs) or len(dict(pairs)) < len(pairs):
        raise SettingsError(f"The key file {path} needs one key alone, or one line 'name: key' per user.")
    return dict(pairs)
