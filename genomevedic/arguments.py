"""Checks of arguments: each error names the argument, what it may be, and what it is."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["check_choice", "check_integer", "check_names", "check_number", "parse_size"]

_SIZE = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*"
    r"(?:(?P<prefix>[KMGT])(?P<binary>I)?)?B?\s*",
    re.ASCII | re.IGNORECASE,
)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def check_integer(name: str, value: Any, least: int = 0) -> int:
    """Return a whole number that is not below `least`; True and False are none."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, and is {value!r}") from None
    if number < least:
        bound = "must not be negative" if least == 0 else f"must be at least {least}"
        raise ValueError(f"{name} {bound}, and is {number}")
    return number


def check_number(name: str, value: Any) -> float:
    """Return a number as a float; NaN and text are none."""
    try:
        if isinstance(value, str | bytes | bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, and is {value!r}") from None
    if math.isnan(number):
        raise ValueError(f"{name} must be a number, and is NaN")
    return number


def check_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return a word that is one of those that there are."""
    if isinstance(value, str) and value in choices:
        return value
    listed = " or ".join(repr(choice) for choice in choices)
    kind = ValueError if isinstance(value, str) else TypeError
    raise kind(f"{name} must be {listed}, and is {value!r}")


def check_names(name: str, value: Any, known: Sequence[str]) -> tuple[str, ...]:
    """Return several names that there are, at least one and none twice."""
    what = f"{name} must be a sequence of names, such as ['gc', 'length']"
    if isinstance(value, str):
        raise TypeError(f"{what}; write [{value!r}]")
    try:
        names = tuple(value)
    except TypeError:
        raise TypeError(f"{what}, and is {value!r}") from None
    for each in names:
        if not isinstance(each, str):
            raise TypeError(f"{what}, and holds {each!r}")
        if each not in known:
            raise ValueError(f"there is no column {each!r}; there are {', '.join(known)}")
    if not names or len(set(names)) != len(names):
        raise ValueError(f"{name} must name at least one column, and none twice")
    return names


def parse_size(size: int | str, name: str = "a size") -> int:
    """Return a size in bytes, given as a number or like ``"2 GiB"``.

    Parameters
    ----------
    size : int or str
        ``KiB``, ``MiB``, ``GiB``, ``TiB`` are powers of 1024; ``kB``, ``MB``, ``GB``, ``TB`` of
        1000.
    name : str
        What an error calls it.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        It is neither a whole number nor text.
    ValueError
        It is no size.

    Examples
    --------
    >>> parse_size("1.5 KiB"), parse_size("2 GB"), parse_size(10)
    (1536, 2000000000, 10)
    """
    how = f"{name} must be a whole number of bytes, or text such as '2 GiB'"
    if isinstance(size, str):
        match = _SIZE.fullmatch(size)
        if match is None:
            raise ValueError(f"{how}; {size!r} is no size")
        base = 1024 if match["binary"] else 1000
        number = float(match["number"]) * base ** _POWERS[(match["prefix"] or "").upper()]
        if not math.isfinite(number):
            raise ValueError(f"{how}; {size!r} is no size")
        size = int(number)
    try:
        return check_integer(name, size)
    except TypeError:
        raise TypeError(f"{how}, and is {size!r}") from None
