"""Corruptions of texts.

Typing errors are the natural and synthetic noise of Belinkov and Bisk, "Synthetic and Natural Noise Both Break Neural
Machine Translation" (2018): swapped, doubled and lost letters, and neighbours on the keyboard.
"""

from __future__ import annotations

import numpy as np

from .base import OURS, Method

__all__ = ["BELINKOV", "TEXTS", "typed"]

Rng = np.random.Generator
BELINKOV = (
    "Belinkov and Bisk, Synthetic and Natural Noise Both Break Neural Machine Translation (2018); our own constants"
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {
    letter: "".join({*(row[at - 1 : at] if at else ""), *row[at + 1 : at + 2]})
    for row in _ROWS
    for at, letter in enumerate(row)
}


def typed(rng: Rng, text: str, c: float) -> str:
    """Return the text with a typing error at a share `c` of its letters, at one letter at least."""
    letters = [at for at, sign in enumerate(text) if sign.isalnum()]
    if not letters:
        return text
    count = max(1, round(c * len(letters)))
    for at in sorted(rng.choice(letters, min(count, len(letters)), replace=False).tolist(), reverse=True):
        text = _one(rng, text, at)
    return text


def _one(rng: Rng, text: str, at: int) -> str:
    sign = text[at]
    kind = int(rng.integers(4))
    if kind == 0 and at + 1 < len(text) and text[at + 1] != sign:
        return text[:at] + text[at + 1] + sign + text[at + 2 :]
    if kind == 1 and len(text) > 1:
        return text[:at] + text[at + 1 :]
    if kind == 2 and (near := sorted(_NEAR.get(sign.lower(), ""))):
        other = near[int(rng.integers(len(near)))]
        return text[:at] + (other.upper() if sign.isupper() else other) + text[at + 1 :]
    return text[:at] + sign + text[at:]


def _missing_words(rng: Rng, text: str, c: float) -> str:
    words = text.split(" ")
    if len(words) < 2:
        return text
    gone = {*rng.choice(len(words), max(1, min(len(words) - 1, round(c * len(words)))), replace=False).tolist()}
    return " ".join(word for at, word in enumerate(words) if at not in gone)


def _letter_case(rng: Rng, text: str, c: float) -> str:
    words = text.split(" ")
    return " ".join(word.swapcase() if rng.random() < c else word for word in words)


def _white_space(rng: Rng, text: str, c: float) -> str:
    """Spaces doubled, and at both ends."""
    words = text.split(" ")
    gaps = [" " + " " * int(rng.random() < c) for _ in words[1:]]
    inner = "".join(word + gap for word, gap in zip(words, [*gaps, ""], strict=True))
    return " " * int(rng.random() < c) + inner + " "


TEXTS: dict[str, Method] = {
    "typos": Method(typed, (0.02, 0.05, 0.1, 0.15, 0.25), BELINKOV),
    "missing_words": Method(_missing_words, (0.05, 0.1, 0.2, 0.3, 0.5), OURS),
    "letter_case": Method(_letter_case, (0.1, 0.25, 0.5, 0.75, 1.0), OURS),
    "white_space": Method(_white_space, (0.1, 0.25, 0.5, 0.75, 1.0), OURS),
}
