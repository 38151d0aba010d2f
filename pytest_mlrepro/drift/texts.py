"""A column of free text as two columns of numbers: how long each text is, and which share of its words is new.

Words of one text are not independent, so a count of words can't be tested; one number for each text can.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from blake3 import blake3

from .columns import Labels, Values

__all__ = ["Vocabulary", "as_numbers", "is_text", "new_words", "vocabulary"]

WORDS: Final = 2000
"""Words that are kept, the most frequent ones."""
MOST: Final = 50_000
"""Texts that are looked at, about; chosen by their content, so that the order of rows doesn't matter."""
FEW: Final = 50
LONGEST: Final = 40
WORD: Final = re.compile(r"\w+")
LENGTH, SHARE = "characters", "share of unknown words"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a reference, from one half of its texts: the other half tells which share of words is new without drift."""

    words: Mapping[str, int]
    """Texts that each word was in."""


def is_text(column: Labels) -> bool:
    """Tell whether a column is free text rather than categories: most values come once, or are sentences."""
    values = sum(column.counts.values())
    different = len(column.counts)
    if different <= FEW or different <= values / 2:
        return False
    return len(column.counts) > 1000 or sum(" " in text for text in column.counts) > different / 2


def vocabulary(column: Labels, *, least: int = 1) -> Vocabulary:
    """Return the most frequent words; `least` is in how many texts a word must be to be kept."""
    counts: Counter[str] = Counter()
    for text, rows in _chosen(column.counts, half=0):
        for word in _words(text):
            counts[word] += rows
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:WORDS]
    return Vocabulary({word: rows for word, rows in ranked if rows >= least})


def as_numbers(name: str, column: Labels, words: Vocabulary, *, reference: bool) -> dict[str, Values]:
    """Return the columns of numbers that stand for a column of texts, by name.

    Of the reference the half that the vocabulary is not made of; of a sample all texts, as far as they are chosen.
    """
    lengths = np.array([np.nan if text is None else len(text) for text in column.labels], np.float64)
    shares = [
        share
        for text, rows in _chosen(column.counts, half=1 if reference else None)
        for share in [_share(text, words)] * rows
    ]
    return {
        f"{name}: {LENGTH}": Values("numeric", lengths),
        f"{name}: {SHARE}": Values("numeric", np.array(shares, np.float64)),
    }


def new_words(column: Labels, words: Vocabulary) -> list[tuple[str, int]]:
    """Return the five most frequent words that the reference does not have, and in how many texts each is."""
    counts: Counter[str] = Counter()
    for text, rows in _chosen(column.counts, half=None):
        for word in _words(text) - words.words.keys():
            counts[word] += rows
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]


def _chosen(counts: Mapping[str, int], half: int | None) -> Iterable[tuple[str, int]]:
    step = max(1, len(counts) // MOST)
    for text in sorted(counts):
        number = int.from_bytes(blake3(text.encode("utf-8", "surrogatepass")).digest(length=8), "big")
        rows = counts[text]
        if half is not None:  # a text that comes often is in both halves alike
            rows = (rows + (number + half) % 2) // 2
        if rows and number // 2 % step == 0:
            yield text, rows


def _words(text: str) -> set[str]:
    return {word[:LONGEST] for word in WORD.findall(text.lower())}


def _share(text: str, words: Vocabulary) -> float:
    found: Sequence[str] = sorted(_words(text))
    return sum(word not in words.words for word in found) / len(found) if found else 0.0
