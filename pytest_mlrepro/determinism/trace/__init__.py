"""Where two runs part: what each of them does, digested in order, and the first difference with its cause."""

from .parting import Parting, parting
from .recorder import Options, Recorder, tracing

__all__ = ["Options", "Parting", "Recorder", "parting", "tracing"]
