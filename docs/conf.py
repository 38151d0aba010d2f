"""How the pages become a site: Sphinx (BSD) with MyST (MIT) for Markdown and furo (MIT) for its looks."""

import re
from importlib.metadata import version as installed

from sphinx.application import Sphinx

project = "pytest-mlrepro"
author = "The pytest-mlrepro developers"
copyright = "the pytest-mlrepro developers"  # Sphinx reads this name
version = release = installed("pytest-mlrepro")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "pytest-mlrepro"
autodoc_typehints = "none"  # the signature has them in words of the docstring
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_use_ivar = True
exclude_patterns = ["_build"]
nitpicky = False

_PARAMETER = re.compile(r"(?P<names>\w+(, \w+)*): ")
_SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields):$")


def _as_markup(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Make reStructuredText of a docstring: single backticks are code, and parameters that stand alone are a list."""
    found: list[str] = []
    loose, item = True, False
    for line in lines:
        loose = loose and not _SECTION.match(line)
        starts = loose and _PARAMETER.match(line)
        if starts:
            found += [] if item else [""]
            line = f"- **{starts['names']}**: {line[starts.end() :]}"
        elif item and line and not line.startswith(" "):
            found.append("")
        item = bool(starts) or (item and (line.startswith(" ") or not line))
        found.append(re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line))
    lines[:] = "\n".join(found).split("\n")


def _without_insides(
    app: object, what: str, name: str, obj: object, options: object, signature: str, returned: str
) -> tuple[str, str] | None:
    """Show no arguments of classes that a fixture makes."""
    return ("", "") if what == "class" and name.count(".") > 1 else None


def setup(app: Sphinx) -> None:
    """Hook in, before the sections of Google's style are read."""
    app.connect("autodoc-process-docstring", _as_markup, priority=400)
    app.connect("autodoc-process-signature", _without_insides)
