"""What sound files say of themselves."""

import struct

import numpy as np
import pytest
import soundfile

from impasto import sounds
from impasto.sounds import Tags

WORDS = {
    "title": "Été à Zürich",
    "artist": "録音者; Второй",
    "album": "Album",
    "copyright": "© 2020",
    "date": "2020",
    "tracknumber": "7",
    "genre": "Volkslied",
    "license": "CC0",
    "comment": "First line\nsecond, with ü",
}


def tone(tags):
    """A short sound that says so much of itself."""
    sound = sounds.as_sound(0.5 * np.sin(np.arange(2000) / 9), 8000)
    return sounds.Sound(sound.samples, sound.rate, "tone", "", "", tags)


@pytest.mark.parametrize("suffix", sounds.FORMATS)
@pytest.mark.parametrize("recipe", [None, {"impasto": "x", "é": "ü" * 9000}])
def test_words_come_through(tmp_path, suffix, recipe):
    """In every format, with how the sound was made behind the comment; the license stands with the rights if need be."""
    source, path = tone(Tags(WORDS)), tmp_path / f"x{suffix}"
    sounds.write(path, source.samples, source.rate, like=source, recipe=recipe)
    found = dict(sounds.read(path).tags.words)
    assert sounds.read_recipe(path) == recipe
    comment = found.pop("comment").split("\n")
    assert comment[:2] == ["First line", "second, with ü"]
    assert len(comment) == (2 if recipe is None else 3)
    expected = {word: text for word, text in WORDS.items() if word != "comment"}
    if suffix in (".wav", ".mp3"):
        expected["copyright"] = f"{expected['copyright']}; {expected.pop('license')}"
    assert found == expected


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_other_programs_read_them(tmp_path, suffix):
    """libsndfile, in the same letters."""
    source = tone(Tags({"title": WORDS["title"], "artist": WORDS["artist"], "comment": "short"}))
    sounds.write(tmp_path / f"x{suffix}", source.samples, source.rate, like=source)
    with soundfile.SoundFile(tmp_path / f"x{suffix}") as file:
        assert (file.title, file.artist, file.comment) == (WORDS["title"], WORDS["artist"], "short")


def test_made_again_a_sound_has_one_recipe(tmp_path):
    """The newest, and the comment of the first source still."""
    source = tone(Tags({"comment": "mine"}))
    for place in range(2):
        sounds.write(tmp_path / "x.flac", source.samples, 8000, like=source, recipe={"impasto": "x", "place": place})
        source = sounds.read(tmp_path / "x.flac")
    assert source.tags.words["comment"].split("\n")[0] == "mine"
    assert len(source.tags.words["comment"].split("\n")) == 2
    assert sounds.read_recipe(tmp_path / "x.flac")["place"] == 1


def test_words_of_windows(tmp_path, wav):
    """WAV does not say its letters: what is not UTF-8 is read as Windows writes it."""
    text = "Café".encode("cp1252") + b"\0\0"
    body = b"INFOINAM" + struct.pack("<I", len(text)) + text
    wav.write_bytes(wav.read_bytes() + b"LIST" + struct.pack("<I", len(body)) + body)
    assert sounds.read(wav).tags == Tags({"title": "Café"})


def flac_of(data):
    """A FLAC file with a picture, and words for which libsndfile has none, in place of its own blocks."""
    entries = [b"TITLE=T", b"ARTIST=A", b"ARTIST=B", b"COMPOSER=C", b"DESCRIPTION=D"]
    words = struct.pack("<II", 0, len(entries)) + b"".join(struct.pack("<I", len(entry)) + entry for entry in entries)
    at = 4
    while not data[at] & 0x80:
        at += 4 + int.from_bytes(data[at + 1 : at + 4], "big")
    sound = data[at + 4 + int.from_bytes(data[at + 1 : at + 4], "big") :]
    picture = struct.pack(">II", 3, 9) + b"image/png" + bytes(24)
    blocks = [(0, data[8:42]), (4, words), (6 | 0x80, picture)]
    return b"fLaC" + b"".join(bytes([kind]) + len(block).to_bytes(3, "big") + block for kind, block in blocks) + sound


def test_what_else_there_is_is_named(tmp_path, wav):
    """A cover, a composer, markers, chapters: in FLAC, WAV and MP3."""
    soundfile.write(tmp_path / "x.flac", np.ones(2000) * 0.1, 8000)
    (tmp_path / "y.flac").write_bytes(flac_of((tmp_path / "x.flac").read_bytes()))
    found = sounds.read(tmp_path / "y.flac").tags
    assert found.words["title"] == "T"
    assert (found.words["artist"], found.words["comment"]) == ("A; B", "D")
    assert found.others == ("its composer", "a cover picture")
    wav.write_bytes(wav.read_bytes() + b"bext" + struct.pack("<I", 2) + b"xx" + b"cue " + struct.pack("<I", 2) + b"xx")
    assert sounds.read(wav).tags.others == ("broadcast details (bext)", "markers")
    source = tone(Tags({"title": "T"}))
    sounds.write(tmp_path / "x.mp3", source.samples, 8000, like=source)
    data = (tmp_path / "x.mp3").read_bytes()
    frame = b"APIC\0\0\0\x04\0\0" + b"\0\0\0\0"
    (tmp_path / "y.mp3").write_bytes(data[:6] + bytes([0, 0, 0, data[9] + len(frame)]) + frame + data[10:])
    assert sounds.read(tmp_path / "y.mp3").tags == Tags({"title": "T"}, ("a cover picture",))


def test_a_file_may_lie_about_its_words(tmp_path, wav):
    """Sizes beyond the end, at any place, are no reason to fail."""
    for suffix in (".wav", ".flac", ".ogg", ".mp3"):
        source = tone(Tags(WORDS))
        sounds.write(tmp_path / f"x{suffix}", source.samples, 8000, like=source)
        data = (tmp_path / f"x{suffix}").read_bytes()
        for place in range(4, 120, 7):
            torn = data[:place] + b"\xff\xff\xff\x7f" + data[place + 4 :]
            (tmp_path / f"y{suffix}").write_bytes(torn)
            try:
                assert isinstance(sounds.read(tmp_path / f"y{suffix}").tags, Tags)
            except sounds.reading.SoundError as error:
                assert str(tmp_path) in str(error)  # noqa: PT017
