"""Options of other programs that mean something else here, each with a sentence on what to do instead."""

import re

_WEIGHTS = "its losses are scaled otherwise, so the number does not carry over"

_SENTENCES = {
    ("-cw",): f"-cw is style-transfer-pytorch's content weight, and {_WEIGHTS}; say how much style with --strength.",
    ("-tw", "--tv-weight"): f"--tv-weight is style-transfer-pytorch's and {_WEIGHTS}; use --smoothness.",
    ("-ii", "--initial-iterations"): "--initial-iterations is the first number of --evaluations here, as in "
    "--evaluations 1000,500 for --initial-iterations 1000 --iterations 500.",
    ("-ad", "--avg-decay"): "--avg-decay has no place here: the best image is kept, not an average of the last.",
    ("--devices",): "--devices is --device here, and takes one.",
    ("--web", "--host", "--port", "--browser"): "The page to watch a run in is impasto studio.",
}


def sentence(error: str) -> str | None:
    """What to say instead of cyclopts' own words about an option that it does not know, or None."""
    found = re.match(r"Unknown option: (-[\w-]+)", error)
    return None if found is None else next((text for names, text in _SENTENCES.items() if found[1] in names), None)
