"""Where particles stand: what each layout means, in words and numbers.

The places themselves are computed in the core while a file is read; a layout here is what a
picture needs to label its axes and to draw its points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from . import _core

__all__ = ["Composition", "Layout", "Spiral", "find"]


@dataclass(frozen=True)
class Layout:
    """A way to place particles.

    Attributes
    ----------
    name : str
        The name by which readers know it.
    axes : tuple of str
        What x, y and z show.
    units : tuple of str
        Their units; empty for a plain number.
    point_size : float
        The natural diameter of a particle of size 1, in the layout's units.
    description : str
        What a place means, in words.
    """

    name: str
    axes: tuple[str, str, str]
    units: tuple[str, str, str]
    point_size: float
    description: str


@cache
def Composition() -> Layout:
    r"""Place a read by what it is made of: the end point of its Z curve over its length.

    ``x`` parts purines from pyrimidines, ``y`` amino from keto bases, ``z`` is ``1 - 2 GC``. Both
    strands of a molecule share a place (``x >= 0``). Coordinates lie in -1..1; a read without a
    known base has no place (NaN).

    Returns
    -------
    Layout

    References
    ----------
    Zhang and Zhang (1994), Z curves, an intuitive tool for visualizing and analyzing the DNA
    sequences. J Biomol Struct Dyn 11:767-782.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(b"@r\nAGGC\n+\nIIII\n", layout=gv.layouts.Composition())
    >>> p.position.tolist()  # of 4 bases, 3 are purines, 2 are amino, 3 are strong
    [[0.5, 0.0, -0.5]]
    """
    return Layout(
        name="composition",
        axes=("purine − pyrimidine", "amino − keto", "weak − strong (1 − 2 GC)"),
        units=("", "", ""),
        point_size=0.01,
        description="base composition of each read, both strands folded together",
    )


@cache
def Spiral() -> Layout:
    """Lay the reads out in their order, on a sunflower spiral. Decorative.

    ``r = sqrt(i + 1/2)``, ``theta = 2.399963 i`` for the read with ordinal ``i``: the picture
    shows the order of the file, and neighbours on it are not neighbours in the file.

    Returns
    -------
    Layout

    References
    ----------
    Vogel (1979), A better way to construct the sunflower head. Math Biosci 44:179-189.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), layout=gv.layouts.Spiral())
    >>> p.layout.name, round(float(p.position[0, 0]), 3)
    ('spiral', 0.707)
    """
    return Layout(
        name="spiral",
        axes=("x", "y", "z"),
        units=("", "", ""),
        point_size=1.0,
        description="order of the reads on a sunflower spiral; decorative",
    )


_LAYOUTS = {"composition": Composition, "spiral": Spiral}

# Layouts of the design that a later version brings.
_LATER = frozenset(
    [
        "flowcell",
        "nanopore",
        "pacbio",
        "mgi",
        "tetranucleotide",
        "grid",
        "linear",
        "hilbert",
        "rainfall",
    ]
)


def find(layout: str | Layout | Callable[[], Layout]) -> Layout:
    """Return the layout that was named or given; ``"auto"`` is composition.

    Parameters
    ----------
    layout : str, Layout or function
        A name, in any case; a layout, which is returned as it is if the core knows its name; or
        `Composition` or `Spiral` themselves.

    Returns
    -------
    Layout

    Raises
    ------
    NotImplementedError
        The layout belongs to a later version.
    ValueError
        There is no such layout.
    TypeError
        It is none of these.

    Examples
    --------
    >>> find("auto").name, find(Spiral).name
    ('composition', 'spiral')
    """
    if callable(layout) and layout in _LAYOUTS.values():
        return layout()
    if isinstance(layout, Layout):
        _check_name(layout.name)
        return layout
    if not isinstance(layout, str):
        raise TypeError(
            f"layout must be a name or a gv.layouts.Layout, not {type(layout).__name__}"
        )
    name = layout.lower()
    if name == "auto":
        name = _core.LAYOUTS[0]
    _check_name(name)
    return _LAYOUTS[name]()


def _check_name(name: str) -> None:
    if name in _LATER:
        raise NotImplementedError(f"the layout {name!r} is not built yet; there are {_names()}")
    if name not in _LAYOUTS:
        raise ValueError(f"there is no layout {name!r}; there are {_names()}")


def _names() -> str:
    return " and ".join(repr(name) for name in _core.LAYOUTS)
