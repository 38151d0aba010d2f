"""What a step is made of beside its inputs: its code, and the environment as far as that code needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ..errors import FingerprintError
from ..fingerprints import Fingerprint, fingerprint_node
from ..fingerprints.code import fingerprint_code, project_of
from ..fingerprints.combined import combined
from ..fingerprints.environment import fingerprint_environment, is_tool
from ..values.node import Scalar
from .call import Call

__all__ = ["made_of", "own_code"]

_PACKAGE: Final = "package "


def made_of(call: Call, inputs: Mapping[str, Any], project: Sequence[Path]) -> tuple[Fingerprint | None, Fingerprint]:
    """Return code and environment of a step; code that can't be understood is None.

    The code is what the function reaches in the project and what the classes of its inputs do; a function of a package
    is its name and the package's version. What a lambda captures is among the inputs, so that its own source is all of
    its code: another line of the test around it changes nothing. The environment is that of the packages which all of these import.
    """
    code = _code(call, inputs, project)
    if code is None:
        return None, fingerprint_environment()
    names = [name.removeprefix(_PACKAGE) for name, _ in code.parts if name.startswith(_PACKAGE)]
    return code, fingerprint_environment(names)


def own_code(code: Fingerprint | None) -> str | None:
    """Return the digest of the project's part of a step's code; versions of packages belong to its environment."""
    if code is None:
        return None
    return combined("code", [(name, part) for name, part in code.parts if part.kind != "package"]).digest


def _code(call: Call, inputs: Mapping[str, Any], project: Sequence[Path]) -> Fingerprint | None:
    folders = {*project, project_of(call.function)} if call.public is None else {*project}
    try:
        whole = fingerprint_code(call.roots(inputs), project=sorted(folders or {Path.cwd()}), alone=True)
    except FingerprintError:
        return None
    parts = [(name, part) for name, part in whole.parts if not _is_tool(name)]
    if call.public is not None:
        plain = fingerprint_node(Scalar("function", call.public))
        parts.append((call.public, Fingerprint(plain.digest, "function")))
    return combined("code", parts)


def _is_tool(name: str) -> bool:
    return name.startswith(_PACKAGE) and is_tool(name.removeprefix(_PACKAGE))
