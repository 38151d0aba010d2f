"""`-k EXPR` as pytest understands it: words joined by `and`, `or`, `not` and parentheses, each matched inside of a test's id."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..errors import UsageError

__all__ = ["keyword_filter"]

Test = Callable[[str], bool]
DEEPEST = 100


def keyword_filter(expression: str) -> Test:
    """Return what tells whether a test's id matches; letters' case doesn't matter. UsageError for what is no expression."""
    reader = _Reader(expression)
    test = reader.either()
    if reader.words:
        raise reader.wrong(f"can't go on at {reader.words[0]!r}")
    return test


class _Reader:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self.words = re.findall(r"[()]|[^\s()]+", expression)
        self._depth = 0

    def wrong(self, what: str) -> UsageError:
        return UsageError(f"-k: {self._expression!r} is no expression such as  fit and not (slow or cuda): {what}")

    def either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return lambda name: any(test(name) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda name: all(test(name) for test in tests)

    def _one(self) -> Test:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.wrong("it nests too deeply")
        test = self._inner()
        self._depth -= 1
        return test

    def _inner(self) -> Test:
        if self._take("not"):
            inner = self._one()
            return lambda name: not inner(name)
        if self._take("("):
            whole = self.either()
            if not self._take(")"):
                raise self.wrong("a parenthesis is not closed")
            return whole
        if not self.words or self.words[0] in ("and", "or", ")"):
            raise self.wrong(
                f"a word is expected, got {self.words[0]!r}" if self.words else "a word is missing at its end"
            )
        word = self.words.pop(0).lower()
        return lambda name: word in name.lower()

    def _take(self, word: str) -> bool:
        if self.words[:1] == [word]:
            del self.words[0]
            return True
        return False
