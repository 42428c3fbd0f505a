#!/usr/bin/env python3
"""Make docs/gallery: a picture and its code for each helper of gv.plot. Run by `make docs`.

    python tools/make_gallery.py [FOLDER]

The code shown is the code that is run, on the sample that ships with the package and on two
larger simulated runs of tools/make_runs.py, which are written to a temporary folder.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import make_runs

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "gallery"
SIZE = (9.0, 5.4)
NARROW = (5.8, 5.4)
DPI = 110


@dataclass(frozen=True)
class Entry:
    """A picture: its file, heading and words, and the code that draws it."""

    name: str
    title: str
    words: str
    code: str
    size: tuple[float, float] = SIZE


HEAD = """# Gallery

Every picture here is drawn by the code above it, on simulated reads: the sample that ships with the
package, and two larger runs, `run.fastq` and `nanopore.fastq`, that `tools/make_runs.py` makes.
`make docs` makes this page and its pictures anew. Each begins with

```python
import matplotlib.pyplot as plt
import genomevedic as gv

sample = gv.datasets.flowcell_sample()
```

Helpers draw on the current axes, or on `ax=`, hand other arguments to Matplotlib, and return what
they have drawn. A read that is not drawn is counted in the picture.
"""

ENTRIES = (
    Entry(
        "flowcell",
        "A flow cell",
        "The mean quality of 2.2 million reads where they were seen: four lanes, two surfaces, "
        "3,744 tiles. Bubbles have passed over lanes 2 and 4, one tile of lane 3 was out of focus, "
        "and the edges of lanes are worse. Where the tiles of an instrument truly lie is known, as "
        "here, the axis is in millimetres; elsewhere the grid is schematic, and says so.",
        'gv.plot.flowcell("run.fastq")',
        (10.6, 6.2),
    ),
    Entry(
        "flowcell_deviation",
        "What differs from the mean",
        "The sample, as far from the mean quality of all reads as it is here and there. Orange is "
        "worse and blue is better; both are told apart by colour-blind readers. The arrow of the "
        "colour bar says that some cells lie beyond its end.",
        'gv.plot.flowcell(sample, color="deviation")',
    ),
    Entry(
        "flowcell_cycles",
        "Cycle by cycle",
        "A bubble passes: it is seen in some cycles and hardly in the mean of all. One colour a "
        "tile, from `gv.tiles`.",
        "gv.plot.flowcell(sample, cycles=15)",
    ),
    Entry(
        "sample",
        "An overview",
        "What `genomevedic plot` draws: the reads as points, coloured by their GC content from "
        "blue to red, and two distributions.",
        'p = gv.read_fastq(sample, layout="composition")\n'
        "gv.plot.overview(p, fig=plt.gcf(), axes=(0, 2))",
        (11.0, 6.2),
    ),
    Entry(
        "scatter",
        "Points",
        "Any two axes of a layout; a colour map and a column of your choice. Masks choose reads.",
        'p = gv.read_fastq(sample, layout="composition")\n'
        'gv.plot.scatter(p[p.quality >= 30], (1, 2), color="gc", cmap="cividis")',
        NARROW,
    ),
    Entry(
        "scatter_3d",
        "Points in space",
        "Two genomes by their base composition; the dots in the corner are reads of nothing but G.",
        'p = gv.read_fastq(sample, layout="composition")\ngv.plot.scatter(p, projection="3d")',
        (8.0, 6.4),
    ),
    Entry(
        "density",
        "A density",
        "How many reads there are where. Nothing is sampled: a hundred million reads take a second "
        "or two. Places that are whole steps apart, as those of reads of one length are, get cells "
        "of whole steps, so there are no stripes that the data do not have.",
        'p = gv.read_fastq(sample, layout="composition")\ngv.plot.density(p, (0, 2))',
        NARROW,
    ),
    Entry(
        "density_gc",
        "A density of means",
        "The same cells, each with the mean of a column: here GC content, which is the axis.",
        'p = gv.read_fastq(sample, layout="composition")\ngv.plot.density(p, (0, 2), color="gc")',
        NARROW,
    ),
    Entry(
        "hist",
        "A distribution",
        "Bins of GC content hold as many of the values that reads of one length can have.",
        'p = gv.read_fastq(sample)\ngv.plot.hist(p, "gc")',
    ),
    Entry(
        "gc_quality",
        "GC content and quality",
        "Reads of nothing but G, on the right, are those of dark clusters on an instrument with "
        "two colours.",
        "p = gv.read_fastq(sample)\ngv.plot.gc_quality(p)",
    ),
    Entry(
        "length_quality",
        "Length and quality",
        "Lengths on a logarithmic scale, and the N50: half of all bases are in reads as long or "
        "longer.",
        'p = gv.read_fastq("nanopore.fastq")\ngv.plot.length_quality(p)',
    ),
    Entry(
        "nanopore",
        "A Nanopore run",
        "The chip, channel by channel (grey: no read), and the yield. `gv.plot.chip` and "
        "`gv.plot.yield_over_time` draw one of them.",
        'gv.plot.nanopore("nanopore.fastq", fig=plt.gcf())',
        (10.0, 6.6),
    ),
    Entry(
        "chip",
        "A chip by a column",
        "The mean of a column for each channel; few reads, in the corner, give a mean that says "
        "little.",
        'gv.plot.chip("nanopore.fastq", color="quality", cmap="cividis")',
        (9.0, 4.4),
    ),
    Entry(
        "yield",
        "The yield of two runs",
        "Every helper takes `ax=`, and one can be used twice.",
        "fig, ax = plt.gcf(), plt.gcf().add_subplot()\n"
        'gv.plot.yield_over_time("nanopore.fastq", ax=ax, label="all reads")\n'
        'p = gv.read_fastq("nanopore.fastq")\n'
        'gv.plot.yield_over_time(p[p.quality >= 15], ax=ax, color="tab:orange", label="Q15")\n'
        'ax.legend(loc="lower right")',
        (9.0, 4.4),
    ),
    Entry(
        "live",
        "While a file is read",
        "A cell of a notebook that fills up; here, what it shows in the end. At most ten pictures "
        "a second, and one twentieth of the time.",
        'with gv.scan_fastq("run.fastq", layout="composition") as reader:\n'
        "    gv.plot.live(reader, (0, 2))",
        (6.6, 5.4),
    ),
)

TAIL = """
## With datashader

Those who use datashader hand it the table of `to_pandas()`: [how to](../how-to/datashader.md).
"""


def page() -> str:
    """Return the text of the gallery."""
    parts = [HEAD]
    for entry in ENTRIES:
        words = "\n".join(textwrap.wrap(entry.words, 100))
        parts.append(
            f"\n## {entry.title}\n\n{words}\n\n```python\n{entry.code}\n```\n\n"
            f"![{entry.title}]({entry.name}.png)\n"
        )
    return "".join(parts) + TAIL


def draw(entry: Entry, output: Path) -> None:
    """Run the code of an entry in the folder of its data, and save the picture."""
    import matplotlib.pyplot as plt

    import genomevedic as gv

    # A layout for axes whose proportions are those of the data.
    is_one = "plt.gcf()" not in entry.code
    layout = "compressed" if is_one else "constrained"
    figure = plt.figure(figsize=entry.size, layout=layout)
    sample = gv.datasets.flowcell_sample()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gv.errors.UnplacedWarning)
        exec(entry.code, {"gv": gv, "plt": plt, "sample": sample})
    # Once for the ticks, which depend on the size of the axes, and once for the room they take.
    figure.draw_without_rendering()
    figure.savefig(output, dpi=DPI)
    plt.close("all")


@contextlib.contextmanager
def runs(reads_per_tile: int = 600, tiles: int = 78, reads: int = 30_000) -> Iterator[None]:
    """Work in a temporary folder that holds the runs that the code names."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        make_runs.write_flow_cell(Path(folder) / "run.fastq", reads_per_tile, tiles=tiles)
        make_runs.write_nanopore(Path(folder) / "nanopore.fastq", reads)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def main(arguments: list[str]) -> int:
    """Make the gallery."""
    import matplotlib

    matplotlib.use("agg")
    folder = Path(arguments[0]).resolve() if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with runs():
        for entry in ENTRIES:
            draw(entry, folder / f"{entry.name}.png")
            print(folder / f"{entry.name}.png")
    (folder / "README.md").write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
