"""Options of style-transfer-pytorch that mean something else here, each with a sentence on what to do instead."""

from collections.abc import Sequence

from impasto.errors import SettingsError

_WEIGHTS = "its losses are scaled otherwise, so the number does not carry over"

_SENTENCES = {
    ("-cw",): f"-cw is style-transfer-pytorch's content weight, and {_WEIGHTS}; say how much style with --strength.",
    ("-tw", "--tv-weight"): f"--tv-weight is style-transfer-pytorch's, and {_WEIGHTS}; use --smoothness.",
    ("-ii", "--initial-iterations"): "--initial-iterations is the first number of --evaluations here, as in "
    "--evaluations 1000,500 for --initial-iterations 1000 --iterations 500.",
    ("-ad", "--avg-decay"): "--avg-decay has no place here: the best image is kept, not an average of the last.",
    ("--devices",): "--devices is --device here, and takes one.",
    ("--web", "--host", "--port", "--browser"): "A page to watch runs in is opened by impasto studio.",
}


def refuse_foreign(words: Sequence[str]) -> None:
    """Refuse such an option in the words of ``impasto stylize``.

    Raises:
        SettingsError: with its sentence.
    """
    if words[:1] != ["stylize"]:
        return
    for word in words[1:]:
        for names, sentence in _SENTENCES.items():
            if word.partition("=")[0] in names:
                raise SettingsError(sentence)
