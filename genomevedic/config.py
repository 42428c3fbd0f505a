"""What this build of genomevedic is made of."""

from __future__ import annotations

import platform
from typing import Any, Literal, overload

import numpy as np

from . import _core

__all__ = ["show_config"]


@overload
def show_config(mode: None = None) -> None: ...
@overload
def show_config(mode: Literal["dict"]) -> dict[str, Any]: ...
def show_config(mode: Literal["dict"] | None = None) -> dict[str, Any] | None:
    """Print what this build is made of: put it into a report of a fault.

    Parameters
    ----------
    mode : "dict", optional
        Return it instead.

    Returns
    -------
    dict or None
        ``version``, ``python``, ``numpy``, ``compiler``, ``zlib`` (None where the core was built
        without it), ``inflate_engines`` (best first), ``simd`` (the kernels in use) and
        ``simd_variants`` (all that this processor can run, best first).

    Raises
    ------
    ValueError
        `mode` is neither.

    Examples
    --------
    >>> import genomevedic as gv
    >>> gv.show_config("dict")["simd_variants"][-1]
    'scalar'
    """
    if mode not in (None, "dict"):
        raise ValueError(f"mode must be 'dict' or None, and is {mode!r}")
    built = _core.config()
    config = {
        "version": built.pop("version"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        **built,
    }
    if mode == "dict":
        return config
    for name, value in config.items():
        words = ", ".join(value) if isinstance(value, list) else value
        print(f"{name.replace('_', ' '):<16}{'not built in' if words is None else words}")
    return None
