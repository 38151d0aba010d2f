"""The graph of steps as text: a tree for people, Mermaid for documents, DOT for Graphviz."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from .facts import Input, Part, Step, Tie

__all__ = ["FORMATS", "Format", "Measured", "lineage"]

Format: TypeAlias = Literal["tree", "mermaid", "dot"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
CHANGED: Final = "changed in place since"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a step took when it was recorded; None where nobody measured."""

    seconds: float | None = None
    peak: int | None = None


def lineage(
    steps: Sequence[Step], *, title: str, form: Format = "tree", measured: Mapping[str, Measured] | None = None
) -> str:
    """Return the graph of steps, which are in the order in which they ended.

    Names are escaped as each format wants it, so that any name gives a graph that its readers accept.
    """
    render: dict[Format, Callable[..., Iterator[str]]] = {"tree": _tree, "mermaid": _mermaid, "dot": _dot}
    return "\n".join(render[form](steps, title, measured or {})) + "\n"


# A tree: each step once, below the latest of those that it comes from


def _tree(steps: Sequence[Step], title: str, measured: Mapping[str, Measured]) -> Iterator[str]:
    parents = _parents(steps)
    children: dict[str | None, list[Step]] = {}
    for step in steps:
        children.setdefault(parents[step.name], []).append(step)
    yield _plain(title)

    def below(name: str | None, indent: str) -> Iterator[str]:
        found = children.get(name, [])
        for step in found:
            last = step is found[-1]
            yield f"{indent}{'└─ ' if last else '├─ '}{_line(step, measured.get(step.name))}"
            deeper = indent + ("   " if last else "│  ")
            bar = deeper + ("│    " if children.get(step.name) else "     ")
            yield from (f"{bar}{text}" for text in _details(step))
            yield from below(step.name, deeper)

    yield from below(None, "")


def _parents(steps: Sequence[Step]) -> dict[str, str | None]:
    """Return under which step each stands: the one that it ran in, else the latest that it comes from."""
    order = {step.name: at for at, step in enumerate(steps)}
    return {
        step.name: step.inside or max(step.sources, key=lambda name: order.get(name, -1), default=None)
        for step in steps
    }


def _line(step: Step, measured: Measured | None) -> str:
    facts = [_plain(f"raised {step.raised}" if step.raised else step.kind)]
    facts += [f"inside {_plain(step.inside)}"] if step.inside else []
    facts += [f"changes {', '.join(map(_plain, step.effects))} in place"] if step.effects else []
    if measured is not None:
        facts += [_seconds(measured.seconds)] if measured.seconds is not None else []
        facts += [f"peak {measured.peak / 2**20:,.0f} MiB"] if measured.peak is not None else []
    return f"{_plain(step.name)}  ({'; '.join(facts)})"


def _details(step: Step) -> Iterator[str]:
    for given in (*step.inputs, *step.files):
        if given.ties:
            yield f"{_plain(given.name)} ← {', '.join(_tie_text(tie) for tie in given.ties)}"
        elif given.name != "self" or not step.effects:
            yield f"{_plain(given.name)}: {_plain(given.kind)}"
    yield from _part_lines(step.opened, "")


def _tie_text(tie: Tie) -> str:
    at = f" as {_plain(tie.at)}" if tie.at else ""
    changed = f" ({CHANGED})" if tie.changed else ""
    return f"{_plain(_source(tie))}{at}{changed}"


def _source(tie: Tie) -> str:
    if not tie.place:
        return tie.step
    return tie.step + (tie.place if tie.place.startswith(("[", ".")) else f": {tie.place}")


def _part_lines(parts: Sequence[Part], indent: str) -> Iterator[str]:
    for part in parts:
        yield f"{indent}· {_plain(part.name)}: {_plain(part.kind)}"
        yield from _part_lines(part.parts, indent + "  ")


def _seconds(seconds: float) -> str:
    if seconds < 0.001:
        return "<1 ms"
    return f"{seconds * 1e3:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _plain(text: str) -> str:
    """Return text that keeps to its line."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode() for char in text
    )


# Mermaid (https://mermaid.js.org/syntax/flowchart.html): labels in quotes, and entity codes for what means something


def _mermaid(steps: Sequence[Step], title: str, measured: Mapping[str, Measured]) -> Iterator[str]:
    yield "flowchart TD"
    yield f"  %% {_plain(title)}"
    ids = _ids(steps)
    yield from _nodes(steps, None, ids, _MERMAID, "  ")
    for source, target, label, changed in _edges(steps):
        text = f'"{_entities(label)}"'
        arrow = f"-. {text} .->" if changed else f"-->|{text}|" if label else "-->"
        yield f"  {ids[source]} {arrow} {ids[target]}"


def _entities(text: str) -> str:
    """Write all but letters, digits, spaces and a few signs as entity codes, which Mermaid begins with `#`."""
    return "".join(char if char.isalnum() or char in " _.,:-←" else f"#{ord(char)};" for char in _plain(text))


# DOT (https://graphviz.org/doc/info/lang.html): strings in quotes, in which a backslash and a quote are escaped


def _dot(steps: Sequence[Step], title: str, measured: Mapping[str, Measured]) -> Iterator[str]:
    yield f"digraph {_quoted(title)} {{"
    yield "  node [shape=box];"
    ids = _ids(steps)
    yield from _nodes(steps, None, ids, _DOT, "  ")
    for source, target, label, changed in _edges(steps):
        style = ", style=dashed" if changed else ""
        yield f"  {ids[source]} -> {ids[target]} [label={_quoted(label)}{style}];"
    yield "}"


def _quoted(text: str) -> str:
    return '"' + _plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


# What both have in common: boxes for steps, and a frame around those that run inside another or inside an estimator


@dataclass(frozen=True, slots=True)
class _Language:
    node: Callable[[str, str], str]
    frame: Callable[[str, str], str]
    end: str
    inner: Callable[[str, str], str]


_MERMAID: Final = _Language(
    node=lambda name, label: f'{name}["{_entities(label)}"]',
    frame=lambda name, label: f'subgraph {name}["{_entities(label)}"]',
    end="end",
    inner=lambda one, two: f"{one} --> {two}",
)
_DOT: Final = _Language(
    node=lambda name, label: f"{name} [label={_quoted(label)}];",
    frame=lambda name, label: f"subgraph cluster_{name} {{ label={_quoted(label)};",
    end="}",
    inner=lambda one, two: f"{one} -> {two};",
)


def _ids(steps: Sequence[Step]) -> dict[str, str]:
    return {step.name: f"s{at}" for at, step in enumerate(steps)}


def _nodes(
    steps: Sequence[Step], inside: str | None, ids: Mapping[str, str], language: _Language, indent: str
) -> Iterator[str]:
    names = {step.name for step in steps}
    for step in steps:
        if (step.inside if step.inside in names else None) != inside:
            continue
        name = ids[step.name]
        inner = any(other.inside == step.name for other in steps)
        if not inner and not step.opened:
            yield indent + language.node(name, step.name)
            continue
        yield indent + language.frame(f"{name}_in", step.name)
        yield f"{indent}  {language.node(name, step.name)}"
        yield from _nodes(steps, step.name, ids, language, indent + "  ")
        yield from _part_nodes(step.opened, name, language, indent + "  ")
        yield indent + language.end


def _part_nodes(parts: Sequence[Part], prefix: str, language: _Language, indent: str) -> Iterator[str]:
    for at, part in enumerate(parts):
        name = f"{prefix}_{at}"
        label = f"{part.name}: {part.kind}"
        if part.parts:
            yield indent + language.frame(f"{name}_in", label)
            yield f"{indent}  {language.node(name, label)}"
            yield from _part_nodes(part.parts, name, language, indent + "  ")
            yield indent + language.end
        else:
            yield indent + language.node(name, label)


def _edges(steps: Sequence[Step]) -> Iterator[tuple[str, str, str, bool]]:
    """Yield source, target, label, and whether the object was changed on the way."""
    names = {step.name for step in steps}
    for step in steps:
        if step.inside in names:
            yield step.name, str(step.inside), "inside", False
        labels: dict[tuple[str, bool], list[str]] = {}
        for given in (*step.inputs, *step.files):
            for tie in given.ties:
                labels.setdefault((tie.step, tie.changed), []).append(_edge_label(given, tie))
        for (source, changed), found in labels.items():
            if source in names:
                words = ", ".join(dict.fromkeys(found)) + (f", {CHANGED}" if changed else "")
                yield source, step.name, words, changed


def _edge_label(given: Input, tie: Tie) -> str:
    place = f" ← {tie.place}" if tie.place else ""
    return f"{given.name}{tie.at}{place}"
