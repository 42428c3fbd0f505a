"""Where particles stand: what each layout means, in words and as data.

A layout made here is a wish: what it leaves open (the model of a flow cell, the axes of a
projection) is settled on the first records of a file, before any is placed. `FastqReader.layout`
and `Particles.layout` are layouts with everything settled, and such a layout can be given to
another reader, saved and loaded: two files then share one space. The places themselves are
computed in the core while a file is read.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from .files import write_whole

__all__ = [
    "MGI",
    "Composition",
    "FlowCell",
    "Grid",
    "Layout",
    "Nanopore",
    "PacBio",
    "Spiral",
    "Tetranucleotide",
    "find",
    "load",
]

_NONE = ("", "", "")


@dataclass(frozen=True)
class Layout:
    """A way to place particles.

    Attributes
    ----------
    name : str
        The name by which readers know it.
    kind : str
        What a place is: ``"physical"`` (where the read was seen), ``"schematic"`` (in the right
        tile, lane or field, on a grid drawn for the eye), ``"computed"`` (from the sequence),
        ``"decorative"`` (from the read's number) or ``"given"`` (by the caller).
    axes : tuple of str
        What x, y and z show.
    units : tuple of str
        Their units; empty for a plain number.
    point_size : float
        The natural diameter of a particle of size 1, in the layout's units.
    description : str
        What a place means, in words.
    parameters : mapping
        Numbers, words and tables that places are computed with; None for one that is still to be
        settled.
    grammar : str
        The grammar of read names that it was settled on (see `genomevedic.names`), empty where
        names do not count.
    offset : tuple of float
        What was taken off the places before they were stored as float32: add it to a position to
        get back to the caller's own coordinates. 0 for every layout but a given one.
    """

    name: str
    kind: str
    axes: tuple[str, str, str]
    units: tuple[str, str, str] = _NONE
    point_size: float = 1.0
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    grammar: str = ""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)

    __hash__ = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def __repr__(self) -> str:
        shown = [f"{key}={_short(value)}" for key, value in self.parameters.items()]
        return f"<Layout {self.name} ({self.kind}){': ' if shown else ''}{', '.join(shown)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Layout.from_dict, (self.to_dict(),)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dict of plain numbers, words and lists, as JSON has them.

        Returns
        -------
        dict

        Examples
        --------
        >>> layout = Grid(width=10)
        >>> Layout.from_dict(layout.to_dict()) == layout
        True
        """
        return {
            "name": self.name,
            "kind": self.kind,
            "axes": list(self.axes),
            "units": list(self.units),
            "point_size": self.point_size,
            "description": self.description,
            "parameters": {key: _plain(value) for key, value in self.parameters.items()},
            "grammar": self.grammar,
            "offset": list(self.offset),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Layout:
        """Make a layout of what `to_dict` returned.

        Parameters
        ----------
        data : mapping
            With every key that `to_dict` gives.

        Returns
        -------
        Layout

        Raises
        ------
        ValueError
            A key is missing, there is one too many, or the layout is not known.
        """
        keys = set(cls.__dataclass_fields__)
        if set(data) != keys:
            wrong = ", ".join(sorted(map(str, set(data) ^ keys)))
            raise ValueError(f"this is no layout: {wrong} missing or not known")
        if data["name"] not in _MAKERS and data["name"] != "given":
            raise ValueError(f"there is no layout {data['name']!r}; there are {_names()}")
        parameters = {key: _frozen(value) for key, value in data["parameters"].items()}
        triples = {key: tuple(data[key]) for key in ("axes", "units", "offset")}
        return cls(**{**data, **triples, "parameters": parameters})

    def save(self, path: str | Path) -> None:
        """Write it to a file, as JSON, which `load` reads.

        Parameters
        ----------
        path : path
            Written whole or not at all.

        Raises
        ------
        OSError
            It cannot be written.
        """
        import json

        write_whole(path, [json.dumps(self.to_dict(), indent=1).encode()])


def load(path: str | Path) -> Layout:
    """Return the layout that `Layout.save` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Layout

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It holds no layout.

    Examples
    --------
    >>> import genomevedic as gv, tempfile, pathlib
    >>> a = gv.read_fastq(gv.datasets.flowcell_sample(), layout="tetranucleotide")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     a.layout.save(pathlib.Path(folder) / "axes.json")
    ...     axes = gv.layouts.load(pathlib.Path(folder) / "axes.json")
    >>> b = gv.read_fastq(gv.datasets.flowcell_sample(), layout=axes, limit=10)
    >>> bool((a.position[:10] == b.position).all())
    True
    """
    import json

    data = json.loads(Path(path).read_bytes())
    if not isinstance(data, dict):
        raise ValueError(f"{path} holds no layout")
    return Layout.from_dict(data)


# Columns and rows of channels on a Nanopore chip, by its model.
CHIP_SHAPES = {"flongle": (13, 10), "minion": (32, 16), "promethion": (120, 25)}


def axis_label(layout: Layout, axis: int) -> str:
    """Return what a layout's axis shows, and its unit."""
    name, unit = layout.axes[axis], layout.units[axis]
    if "(" in unit:
        return f"{name}, {unit}"
    return f"{name} ({unit})" if unit else name


def extents(layout: Layout) -> tuple[tuple[float, float] | None, ...]:
    """Return where the places of a layout always lie along each axis; None where that is open.

    Parameters
    ----------
    layout : Layout
        With everything settled.

    Returns
    -------
    tuple
        (low, high) or None for x, y and z. Channels of a chip reach half a step around theirs.
    """
    if layout.name == "composition":
        return (0.0, 1.0), (-1.0, 1.0), (-1.0, 1.0)
    if layout.name == "nanopore" and layout.parameters["model"] in CHIP_SHAPES:
        columns, rows = CHIP_SHAPES[layout.parameters["model"]]
        return (-0.5, columns - 0.5), (-0.5, rows - 0.5), None
    return None, None, None


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


def _short(value: Any) -> str:
    return f"({len(value)} rows)" if isinstance(value, tuple) else repr(value)


# ---------------------------------------------------------------------------------------------
# From the sequence
# ---------------------------------------------------------------------------------------------


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
        kind="computed",
        axes=("purine − pyrimidine", "amino − keto", "weak − strong (1 − 2 GC)"),
        point_size=0.01,
        description="base composition of each read, both strands folded together",
    )


def Tetranucleotide(
    weights: Any = None, bias: Any = None, *, reads: int = 20_000, point_size: float | None = None
) -> Layout:
    """Place a read by its tetranucleotides, on three axes that part the reads best.

    ``p = sum(W[k] for each tetranucleotide k) / their number - b``. The loadings ``W`` are the
    first three principal components of the tetranucleotide frequencies of the first `reads` reads
    (both strands alike), ``b`` their mean. Long reads of different genomes stand well apart; those
    of 150 bases better than by composition alone. N and other codes are skipped; a read without
    four known bases in a row has no place.

    Parameters
    ----------
    weights : array_like of shape (256, 3), optional
        Loadings, fitted where not given. Row ``k`` belongs to the tetranucleotide whose bases
        (A 0, C 1, G 2, T 3) are the digits of ``k`` to base 4; it must equal the row of the
        reverse complement.
    bias : array_like of shape (3,), optional
        Taken off the mean; with `weights` only, 0 by default.
    reads : int, default 20_000
        Reads that are looked at for fitting, as far as they lie in the first 256 MiB of text of
        the first source. To place several files alike, fit once and hand the layout on.
    point_size : float, optional
        With `weights` only: see `Layout`.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        The weights are not of that shape, not finite, or differ between strands.

    Examples
    --------
    >>> import genomevedic as gv
    >>> a = gv.read_fastq(gv.datasets.flowcell_sample(), layout="tetranucleotide")
    >>> b = gv.read_fastq(gv.datasets.flowcell_sample(), layout=a.layout)  # the same axes
    >>> a == b
    True
    """
    parameters: dict[str, Any] = {"weights": None, "bias": None, "reads": int(reads)}
    if not 1 <= parameters["reads"] <= 1_000_000:
        raise ValueError(f"reads goes from 1 to 1000000, not {reads}")
    if weights is None and (bias is not None or point_size is not None):
        raise ValueError("bias and point_size are fitted, unless weights are given")
    if weights is not None:
        table = np.asarray(weights, dtype=np.float64)
        shift = np.zeros(3) if bias is None else np.asarray(bias, dtype=np.float64)
        if table.shape != (256, 3) or shift.shape != (3,):
            raise ValueError("weights have the shape (256, 3) and a bias (3,)")
        if not (np.isfinite(table).all() and np.isfinite(shift).all()):
            raise ValueError("weights and bias must be finite")
        if not np.array_equal(table, table[REVERSE_COMPLEMENT]):
            raise ValueError("a tetranucleotide and its reverse complement need equal weights")
        parameters["weights"] = tuple(map(tuple, table.tolist()))
        parameters["bias"] = tuple(shift.tolist())
    return Layout(
        name="tetranucleotide",
        kind="computed",
        axes=("tetranucleotides, 1st axis", "2nd axis", "3rd axis"),
        point_size=0.002 if point_size is None else float(point_size),
        description="tetranucleotide frequencies of each read, projected onto three axes",
        parameters=parameters,
    )


def _reverse_complements() -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the code of each tetranucleotide's reverse complement."""
    codes = np.arange(256)
    digits = [(codes >> shift) & 3 for shift in (6, 4, 2, 0)]
    turned = np.zeros_like(codes)
    for place, digit in enumerate(digits):
        turned |= (3 - digit) << (2 * place)
    return turned.astype(np.intp)


REVERSE_COMPLEMENT = _reverse_complements()

# ---------------------------------------------------------------------------------------------
# From the name
# ---------------------------------------------------------------------------------------------


def FlowCell(
    *,
    placement: Literal["schematic", "novaseq-6000-s4"] | None = None,
    surfaces: Literal["z", "beside"] = "z",
    swath_pitch: float | None = None,
    tile_pitch: float | None = None,
    lane_pitch: float | None = None,
    camera_tiles: int = 12,
    stagger: float | None = None,
) -> Layout:
    r"""Place a read where its cluster lies on the flow cell, stitched together from the tiles.

    Lanes stand beside each other in x, and within a lane its swaths; tiles above each other in y;
    the surface is z. Units are those of read names: a tenth of a pixel of the instrument's camera,
    with an offset of 1000 (34.78 nm on a NovaSeq 6000, 37.5 nm on a HiSeq 2500, unpublished for
    others). Where tiles lie is known for the S4 flow cell of the NovaSeq 6000 alone; elsewhere the
    picture is a *schematic* grid, and says so: each read has its place in the right tile.

    Parameters
    ----------
    placement : {"schematic", "novaseq-6000-s4"}, optional
        By default the S4's where instrument and flow cell in the first name say so, else
        schematic.
    surfaces : {"z", "beside"}, default "z"
        Surfaces above each other, or beside each other within the lane (z is 0 then).
    swath_pitch, tile_pitch, lane_pitch : float, optional
        Distance from one swath, tile and lane to the next; by default as known of the instrument,
        or wide enough for all. A pitch less than a tile lays tiles over each other.
    camera_tiles : int, default 12
        Tiles of one camera, where tile numbers have five digits (NextSeq 500): cameras stand
        above each other.
    stagger : float, optional
        Of the S4: how far its even swaths are shifted in y, down on surface 1 and up on surface 2.
        6201 by default; it differs between runs.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        A number is not finite, or `surfaces` or `placement` not one of these.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), layout=gv.layouts.FlowCell())
    >>> p.layout.kind, p.layout.parameters["placement"], p.position[0].tolist()[2]
    ('schematic', 'schematic', 1.0)
    """
    if surfaces not in ("z", "beside"):
        raise ValueError(f"surfaces are 'z' or 'beside', not {surfaces!r}")
    if placement not in (None, "schematic", "novaseq-6000-s4"):
        raise ValueError(f"placement is 'schematic' or 'novaseq-6000-s4', not {placement!r}")
    pitches = {"swath_pitch": swath_pitch, "tile_pitch": tile_pitch, "lane_pitch": lane_pitch}
    for name, value in {**pitches, "stagger": stagger, "camera_tiles": camera_tiles}.items():
        _check_finite(name, value)
    return Layout(
        name="flowcell",
        kind="schematic",
        axes=("x", "y", "surface"),
        units=("0.1 px", "0.1 px", ""),
        description="place of each cluster on the flow cell",
        parameters={
            "placement": placement,
            "surfaces": surfaces,
            **pitches,
            "camera_tiles": camera_tiles,
            "stagger": stagger,
            "instrument": None,
            "nm_per_unit": None,
        },
    )


def Nanopore(
    *,
    model: Literal["flongle", "minion", "promethion"] | None = None,
    t0: datetime.datetime | np.datetime64 | str | None = None,
) -> Layout:
    r"""Place a read at its channel on the chip, and at its time.

    ``x`` and ``y`` are the channel's column and row, ``z`` the hours since `t0`. The maps from
    channel to place are those of MinKNOW, as NanoPlot has them.

    Parameters
    ----------
    model : {"flongle", "minion", "promethion"}, optional
        126, 512 or 3,000 channels ("minion" for the GridION too). By default as the flow cell's id
        in the first name says (``PA``, ``FA``, or ``A``, two letters and three digits), else
        the smallest that has every channel of the first 4,000 reads. A channel that the model
        does not have is an `OutOfBoundsError`.
    t0 : datetime or str, optional
        When the run began; UTC where it says no zone. By default the first record's start time. If
        that has none, times do not count and z is 0.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        There is no such model, or `t0` is no time.

    Examples
    --------
    >>> import genomevedic as gv
    >>> name = b"5a3bb5c4-6e3c-4a52-9e9a-4d6a3ab4d9c1 ch=1 start_time=2024-05-01T10:00:00Z"
    >>> fastq = b"@" + name + b"\nACGT\n+\nIIII\n"
    >>> p = gv.read_fastq(fastq, layout=gv.layouts.Nanopore(model="minion", t0="2024-05-01T08:30"))
    >>> p.position.tolist()
    [[0.0, 15.0, 1.5]]
    """
    if model not in (None, *NANOPORE_MODELS):
        raise ValueError(f"model is one of {', '.join(NANOPORE_MODELS)}, not {model!r}")
    return Layout(
        name="nanopore",
        kind="physical",
        axes=("column", "row", "time"),
        units=("", "", "h"),
        point_size=0.25,
        description="channel of each read on the chip, and hours since the run began",
        parameters={"model": model, "t0": None if t0 is None else _utc(t0), "has_time": None},
    )


NANOPORE_MODELS = {"flongle": 1, "minion": 2, "promethion": 3}


def _utc(time: datetime.datetime | np.datetime64 | str) -> str:
    """Return a time as ISO 8601 in UTC."""
    if isinstance(time, np.datetime64):
        time = str(time.astype("datetime64[us]"))
    if isinstance(time, str):
        time = datetime.datetime.fromisoformat(time)
    if not isinstance(time, datetime.datetime):
        raise ValueError(f"t0 is a datetime or words like 2024-05-01T08:30, not {time!r}")
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.UTC)
    return time.astimezone(datetime.UTC).isoformat()


def PacBio() -> Layout:
    r"""Place a read at its well (ZMW) on the chip.

    ``x = zmw >> 16``, ``y = zmw & 0xFFFF``; sources differ by a transpose. Names of the RS II
    number wells in another way and hold no place.

    Returns
    -------
    Layout

    Examples
    --------
    >>> import genomevedic as gv
    >>> fastq = b"@m64012_190920_173625/4194369/ccs\nACGT\n+\nIIII\n"
    >>> gv.read_fastq(fastq, layout="pacbio").position.tolist()
    [[64.0, 65.0, 0.0]]
    """
    return Layout(
        name="pacbio",
        kind="physical",
        axes=("x", "y", ""),
        units=("well", "well", ""),
        point_size=1.0,
        description="well (ZMW) of each read on the chip",
    )


def MGI(*, lane_pitch: float = 20.0) -> Layout:
    r"""Place a read at the centre of the field of view that its DNB was seen in.

    ``x`` is the field's column, lanes beside each other, ``y`` its row. An MGI name says nothing of
    the place inside a field: all reads of a field share one point.

    Parameters
    ----------
    lane_pitch : float, default 20
        Columns from one lane to the next.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        The pitch is not finite.

    Examples
    --------
    >>> import genomevedic as gv
    >>> fastq = b"@V350012345L2C002R0170000512\nACGT\n+\nIIII\n"
    >>> gv.read_fastq(fastq, layout="mgi").position.tolist()
    [[22.0, 17.0, 0.0]]
    """
    _check_finite("lane_pitch", lane_pitch)
    return Layout(
        name="mgi",
        kind="schematic",
        axes=("column", "row", ""),
        units=("field", "field", ""),
        point_size=0.4,
        description="field of view of each read; all reads of a field share its centre",
        parameters={"lane_pitch": float(lane_pitch)},
    )


# ---------------------------------------------------------------------------------------------
# From the order
# ---------------------------------------------------------------------------------------------


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
        kind="decorative",
        axes=("x", "y", "z"),
        description="order of the reads on a sunflower spiral; decorative",
    )


def Grid(*, width: int = 1000) -> Layout:
    """Lay the reads out in their order, row by row. Decorative.

    ``x = i mod width``, ``y = i // width`` for the read with ordinal ``i``.

    Parameters
    ----------
    width : int, default 1000
        Reads in a row, 1 to 2**24.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        The width is out of its range.

    Examples
    --------
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(gv.datasets.flowcell_sample(), layout=gv.layouts.Grid(width=100))
    >>> p.position[250].tolist()
    [50.0, 2.0, 0.0]
    """
    if not 1 <= width <= 2**24 or width != int(width):
        raise ValueError(f"width is a whole number from 1 to {2**24}, not {width}")
    return Layout(
        name="grid",
        kind="decorative",
        axes=("x", "y", "z"),
        point_size=0.5,
        description="order of the reads, row by row; decorative",
        parameters={"width": int(width)},
    )


def given(offset: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Layout:
    """Return the layout of places that the caller gives."""
    return Layout(
        name="given",
        kind="given",
        axes=("x", "y", "z"),
        description="places given by the caller",
        offset=offset,
    )


def _check_finite(name: str, value: float | None) -> None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value}")


# ---------------------------------------------------------------------------------------------
# By name
# ---------------------------------------------------------------------------------------------

_MAKERS: dict[str, Callable[[], Layout]] = {
    "composition": Composition,
    "tetranucleotide": Tetranucleotide,
    "flowcell": FlowCell,
    "nanopore": Nanopore,
    "pacbio": PacBio,
    "mgi": MGI,
    "spiral": Spiral,
    "grid": Grid,
}

# Those that place any read, whatever its name.
FROM_ANY_READ = ("composition", "tetranucleotide", "spiral", "grid")

# Layouts of the design that a later version brings.
_LATER = frozenset(["linear", "hilbert", "rainfall"])


def find(layout: object) -> Layout | None:
    """Return the layout that was named or given; None for ``"auto"``.

    Parameters
    ----------
    layout : object
        A name, in any case; a layout, which is returned as it is; or one of the functions of this
        module, such as `Composition` itself.

    Returns
    -------
    Layout or None

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
    >>> find("Composition").name, find(Spiral).name, find("auto")
    ('composition', 'spiral', None)
    """
    if isinstance(layout, Layout):
        return layout
    if not isinstance(layout, str):
        for maker in _MAKERS.values():
            if layout is maker:
                return maker()
        raise TypeError(
            "layout must be a name, a gv.layouts.Layout, an array of places or a function from "
            f"a batch to places, not {type(layout).__name__}"
        )
    name = layout.lower()
    if name == "auto":
        return None
    if name in _LATER:
        raise NotImplementedError(f"the layout {name!r} is not built yet; there are {_names()}")
    if name not in _MAKERS:
        raise ValueError(f"there is no layout {layout!r}; there are {_names()}")
    return by_name(name)


@cache
def by_name(name: str) -> Layout:
    """Return the layout of a name, which all share: nothing of it can be changed."""
    return _MAKERS[name]()


def _names() -> str:
    *names, last = map(repr, _MAKERS)
    return f"{', '.join(names)} and {last}"
