"""What the Python contenders do: functions that make a function that goes through a file.

Making it imports what it needs, so that no import is timed.
"""

from collections.abc import Callable

from jobs.found import Found, Repeated, Unavailable
from jobs.ours import OURS
from jobs.peers import PEERS
from jobs.probes import PROBES

JOBS = OURS | PEERS | PROBES

__all__ = ["Unavailable", "find"]


def find(name: str) -> Callable[[str], Found]:
    """The job of a name, which may carry an argument: "gv-simd:avx2", or "again:gv"."""
    name, _, argument = name.partition(":")
    if name == "again":
        return Repeated.by(find(argument))
    return JOBS[name](argument) if argument else JOBS[name]()
