"""style-transfer-pytorch's names: aliases where they mean the same, else a sentence."""

import json

import pytest

QUIET = ("-q", "--json", "--precision", "fp32", "--device", "cpu")


def test_names_that_mean_the_same(call, room):
    """Are taken for this package's."""
    words = (
        "-s",
        "64",
        "-ms",
        "32",
        "-i",
        "2",
        "-sw",
        "1",
        "--style-scale-fac",
        "1.5",
        "--optimizer",
        "adam",
        "-ss",
        "0.05",
    )
    outcome = call("stylize", "photo.png", "painting.png", "-o", "o.png", *words, "-r", "3", "--noise", "0.1", *QUIET)
    assert outcome.code == 0, outcome.err
    settings = json.loads(outcome.out)["settings"]
    assert [settings[name] for name in ("size", "coarsest", "evaluations", "blend")] == [64, 32, [2], [1.0]]
    assert [settings[name] for name in ("style_scale", "rate", "seed")] == [1.5, 0.05, 3]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-cw", "0.015"), "--strength"),
        (("-tw", "2"), "--smoothness"),
        (("--tv-weight=2",), "--smoothness"),
        (("-ii", "1000"), "--evaluations 1000,500"),
        (("-ad", "0.99"), "the best image is kept"),
        (("--web",), "impasto studio"),
    ],
)
def test_names_that_mean_something_else(call, room, words, sentence):
    """Are refused with what to do instead."""
    outcome = call("stylize", "photo.png", "painting.png", "-o", "o.png", *words)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert outcome.err.count("\n") == 1
