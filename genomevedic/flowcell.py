"""What the tiles of a flow cell hold: reads, quality and composition, by tile and by cycle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import _core
from .arguments import check_choice, check_integer
from .batches import batches_of
from .table import Table, ratio, shown

if TYPE_CHECKING:
    import numpy.typing as npt

    from .particles import Particles

__all__ = ["TileTable", "decode_tiles", "tiles"]

# What stands for Phred 0 in each encoding.
_ZERO = {"phred33": 33, "phred64": 64}

# What a tally sums over bases.
_SUMS = ("bases", "known", "gc", "quality")

_NEEDED = ("lane", "tile", "sequence", "qualities")


class TileTable(Table):
    """The tiles of a flow cell, one a row, and their stretches of cycles.

    Parameters
    ----------
    title, columns, facts
        As for `Table`.
    cycles : Table, optional
        The attribute.

    Attributes
    ----------
    cycles : Table or None
        A row for each tile and bin of cycles, where they were asked for: the bins of the first
        tile, then those of the second, so that ``t.cycles.mean_quality.reshape(len(t), -1)`` has a
        row for each tile. Columns: ``lane``, ``tile``, ``surface``, ``swath``, ``number``;
        ``first_cycle`` and ``last_cycle``, counted from 1 and both in the bin; ``bases``;
        ``mean_quality``, ``quality_deviation`` from that of the same cycles on the whole flow cell,
        ``gc`` and ``n_fraction``, NaN where there is no base.
    """

    __slots__ = ("cycles",)

    def __init__(
        self,
        title: str,
        columns: Mapping[str, npt.NDArray[Any]],
        facts: Mapping[str, Any] | None = None,
        cycles: Table | None = None,
    ) -> None:
        super().__init__(title, columns, facts)
        self.cycles = cycles

    def _heading(self) -> str:
        if self.cycles is None:
            return super()._heading()
        return f"{super()._heading()}; .cycles {shown(len(self.cycles))} rows"


def tiles(
    source: Any,
    *,
    cycles: int | None = None,
    poly_g: int = 10,
    encoding: Literal["phred33", "phred64"] = "phred33",
    **options: Any,
) -> TileTable:
    r"""Return what each tile of a flow cell holds, and each stretch of its cycles.

    One pass over all reads, in memory that grows with the number of tiles and cycles alone. All
    sums are of whole numbers, so the same reads in any order give the same table, bit for bit. The
    reads of several files count as of one flow cell.

    Parameters
    ----------
    source : Particles, FastqReader, or what `read_fastq` takes
        Particles and readers need the columns ``lane``, ``tile``, ``sequence`` and ``qualities``;
        a reader is read to its end. Anything else is read here, once.
    cycles : int, optional
        Cycles in a bin. A bubble passes over a tile for some cycles, so that it shows in bins of
        5 to 20 cycles, and hardly in the tile as a whole.
    poly_g : int, default 10
        Bases in the tail that makes a read one of poly-G (see Notes).
    encoding : {"phred33", "phred64"}, default "phred33"
        How the qualities are written; of a reader or particles, as they were read.
    **options
        Handed to `scan_fastq` where `source` is opened here, for example ``min_quality``,
        ``limit`` or ``threads``.

    Returns
    -------
    TileTable
        A row for each tile that has a read, by lane and tile. Columns: ``lane``, ``tile``,
        ``surface``, ``swath``, ``camera`` and ``number`` (0 where the numbers of the tiles do not
        hold them); ``reads``, ``bases``; ``mean_quality``, the mean of the Phred scores of all
        bases, and ``quality_deviation``, the same less that of the flow cell; ``gc``, (G+C) /
        (A+C+G+T+U); ``n_fraction``, the share of bases that are none of these, as N is;
        ``poly_g_fraction``, the share of reads that are poly-G. In ``facts``: the same of the
        whole flow cell, and ``reads_without_tile``, which are in no row. ``.cycles`` is the table
        of bins (see `TileTable`).

    Raises
    ------
    ValueError
        Columns are missing; `cycles` or `poly_g` is less than 1.
    TypeError
        An argument is not of its type, or `options` were given with a reader or particles.
    genomevedic.errors.MemoryLimitError
        So many tiles or bins do not fit the memory, as when tiles are no tile numbers.
    genomevedic.errors.FastqFormatError, genomevedic.errors.SourceReadError
        As `read_fastq`, for what is read here.

    Notes
    -----
    A *poly-G read* has at least `poly_g` bases, and of its last `poly_g` bases at most one in
    eight, and no more than five, is not G. With 10, which allows one, these are the reads that
    fastp ``--trim_poly_g`` cuts (small letters counted as capitals here). Instruments with two
    colours call G where they see no light.

    References
    ----------
    Chen and others (2018), fastp: an ultra-fast all-in-one FASTQ preprocessor. Bioinformatics
    34:i884-i890; the rule is in its ``src/polyx.cpp``, ``trimPolyG``.

    Examples
    --------
    >>> import numpy as np
    >>> import genomevedic as gv
    >>> p = gv.read_fastq(
    ...     b"@r1\nACGT\n+\nIIII\n@r2\nGGNC\n+\nII!I\n@r3\nAAAA\n+\nIII?\n",
    ...     columns=["sequence", "qualities"],
    ... )
    >>> places = {"lane": np.array([1, 1, 2], "u1"), "tile": np.array([1101, 1101, 2101], "u4")}
    >>> columns = {"sequence": p.sequence, "qualities": p.qualities}
    >>> t = gv.tiles(gv.Particles(places | columns, p.layout), cycles=2)
    >>> t.tile.tolist(), t.surface.tolist(), t.reads.tolist(), t.mean_quality.tolist()
    ([1101, 2101], [1, 2], [2, 1], [35.0, 37.5])
    >>> t.cycles.mean_quality.reshape(len(t), -1).tolist()
    [[40.0, 30.0], [40.0, 35.0]]
    """
    width = 0 if cycles is None else check_integer("cycles", cycles, 1)
    tail = check_integer("poly_g", poly_g, 1)
    zero = _ZERO[check_choice("encoding", encoding, tuple(_ZERO))]
    tally = _core.Tally(width, tail)
    places = _Places()
    for batch in batches_of("tiles()", source, _NEEDED, (), options):
        lane: Any = batch["lane"]
        tile: Any = batch["tile"]
        sequence, qualities = batch.sequence, batch.qualities
        tally.add(
            lane, tile, (sequence.offsets, sequence.data), (qualities.offsets, qualities.data)
        )
        places.see(batch, tally)
    return _make_table(tally, places, width, zero)


# ---------------------------------------------------------------------------------------------
# Tile numbers
# ---------------------------------------------------------------------------------------------


def decode_tiles(tile: npt.ArrayLike, grammar: str = "illumina-1.8") -> dict[str, npt.NDArray[Any]]:
    """Return what tile numbers say of the places of the tiles.

    Illumina's as InterOp decodes them: four digits are surface, swath, and two of the number
    (``1101``); five have the camera before the number (``21305``); up to three (old instruments)
    are the number, on surface 1 and swath 1. Element's: surface, two digits of the row, taken as
    the number, and two of the column, taken as the swath (inferred). Singular's: a number.

    Parameters
    ----------
    tile : array-like of int
        One for each tile.
    grammar : str, default "illumina-1.8"
        Of the names that they are from; see `genomevedic.names`.

    Returns
    -------
    dict
        ``surface``, ``swath`` and ``camera`` (uint8) and ``number`` (uint32); 0 where the number
        does not hold them.

    Raises
    ------
    ValueError
        There is no such grammar.

    Examples
    --------
    >>> places = decode_tiles([1101, 21305, 68])
    >>> [places[part].tolist() for part in ("surface", "swath", "camera", "number")]
    [[1, 2, 1], [1, 1, 1], [0, 3, 0], [1, 5, 68]]
    """
    parts = [_core.tile_parts(grammar, int(each)) for each in np.asarray(tile).ravel()]
    columns = np.array(parts, dtype=np.uint32).reshape(-1, 4).T
    types = {"surface": np.uint8, "swath": np.uint8, "camera": np.uint8, "number": np.uint32}
    return {
        name: column.astype(kind)
        for (name, kind), column in zip(types.items(), columns, strict=True)
    }


class _Places:
    """Where the tiles of a tally are: as the columns of the reads say, else as the numbers do."""

    def __init__(self) -> None:
        self._grammar = "illumina-1.8"
        self._rows = 0
        self._columns: dict[str, list[npt.NDArray[Any]]] = {"surface": [], "swath": []}
        self._tiles = 0

    def see(self, batch: Particles, tally: _core.Tally) -> None:
        """Look at the first read of each tile that this batch, just added, brought."""
        self._grammar = batch.layout.grammar or self._grammar
        count = tally.counts()["tiles"]
        if count > self._tiles:
            rows = tally.tiles()["first"][self._tiles :] - np.uint64(self._rows)
            for name, parts in self._columns.items():
                if name in batch.columns:
                    parts.append(np.asarray(batch[name])[rows])
            self._tiles = count
        self._rows += len(batch)

    def columns(
        self, tile: npt.NDArray[np.uint32], order: npt.NDArray[np.intp]
    ) -> dict[str, npt.NDArray[Any]]:
        places = decode_tiles(tile, self._grammar)
        for name, parts in self._columns.items():
            if parts:
                places[name] = np.concatenate(parts)[order]
        return places


# ---------------------------------------------------------------------------------------------
# Tables
# ---------------------------------------------------------------------------------------------


def _make_table(tally: _core.Tally, places: _Places, width: int, zero: int) -> TileTable:
    counts, sums = tally.counts(), tally.tiles()
    order = np.lexsort((sums["tile"], sums["lane"]))
    sums = {name: column[order] for name, column in sums.items()}
    whole = {name: sums[name].sum() for name in ("reads", "poly_g", *_SUMS)}
    where = {"lane": sums["lane"], "tile": sums["tile"], **places.columns(sums["tile"], order)}
    columns = {
        **where,
        "reads": sums["reads"].astype(np.int64),
        "bases": sums["bases"].astype(np.int64),
        **_means(sums, whole, zero),
        "poly_g_fraction": ratio(sums["poly_g"], sums["reads"]),
    }
    means = {name: float(mean) for name, mean in _means(whole, whole, zero).items()}
    del means["quality_deviation"]
    facts = {
        "reads": int(whole["reads"]),
        "reads_without_tile": counts["unplaced"],
        "bases": int(whole["bases"]),
        **means,
        "poly_g_fraction": float(ratio(whole["poly_g"], whole["reads"])),
    }
    if width == 0:
        return TileTable("Tiles", columns, facts)
    bins = {name: column[order] for name, column in tally.bins().items()}
    return TileTable("Tiles", columns, facts, _make_bins(where, bins, counts, width, zero))


def _make_bins(
    where: dict[str, npt.NDArray[Any]],
    bins: dict[str, npt.NDArray[np.uint64]],
    counts: dict[str, int],
    width: int,
    zero: int,
) -> Table:
    """Lay out the bins, arrays of tiles by bins, as one row each."""
    whole = {name: column.sum(axis=0) for name, column in bins.items()}
    n_tiles, n_bins = bins["bases"].shape
    first = np.arange(n_bins, dtype=np.int64) * width
    last = np.minimum(first + width, counts["longest"])
    columns = {
        **{name: np.repeat(column, n_bins) for name, column in where.items() if name != "camera"},
        "first_cycle": np.tile(first + 1, n_tiles),
        "last_cycle": np.tile(last, n_tiles),
        "bases": bins["bases"].astype(np.int64).ravel(),
        **{name: column.ravel() for name, column in _means(bins, whole, zero).items()},
    }
    return Table("Tiles by cycles", columns, {"cycles_in_a_bin": width})


def _means(
    sums: Mapping[str, npt.NDArray[Any]], whole: Mapping[str, npt.NDArray[Any]], zero: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the means of sums, and how far that of the quality is from the whole's."""
    mean_quality = _mean_quality(sums, zero)
    return {
        "mean_quality": mean_quality,
        "quality_deviation": mean_quality - _mean_quality(whole, zero),
        "gc": ratio(sums["gc"], sums["known"]),
        "n_fraction": ratio(sums["bases"] - sums["known"], sums["bases"]),
    }


def _mean_quality(sums: Mapping[str, npt.NDArray[Any]], zero: int) -> npt.NDArray[np.float64]:
    # Whole numbers up to the division, which alone is rounded.
    bases = np.asarray(sums["bases"]).astype(np.int64)
    return ratio(np.asarray(sums["quality"]).astype(np.int64) - zero * bases, bases)
