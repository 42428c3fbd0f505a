"""The command line: ``genomevedic info``, ``genomevedic plot`` and ``genomevedic view``.

Exit status: 0 done; 1 with one sentence on standard error; 2 the command was not understood;
130 stopped with Ctrl-C; 141 the reader of standard output went away.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import io
import json
import math
import os
import select
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .arguments import parse_size
from .errors import GenomeVedicError, MissingEndBlockWarning
from .fastq import (
    COLUMNS,
    DEFAULT_COLUMNS,
    DEFAULT_MAX_RECORD_BYTES,
    FastqReader,
    read_fastq,
    scan_fastq,
)
from .sources import shown
from .text import counted_reads, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .particles import Particles
    from .peek import FastqSummary
    from .stats import ReadStats

__all__ = ["main"]

_STANDARD_INPUT = "standard input"

# How many reads a window or a page shows.
_VIEWED_POINTS = 1_000_000

# How many reads the look at the beginning examines.
_PEEK_READS = 1000

# What messages call an argument of a Python function, and what the command line calls it.
_OPTIONS = {"max_points=": "--max-points", "max_record_bytes": "--max-record-bytes"}

# What each kind of picture needs of the reads, and which options it knows.
_KINDS: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "overview": (
        ("position", "color", "size", "length", "gc", "quality"),
        frozenset(["color", "max_points"]),
    ),
    "scatter": (
        ("position", "color", "size", "length", "gc", "quality"),
        frozenset(["color", "max_points"]),
    ),
    "density": (("position", "length"), frozenset(["color"])),
    "hist": (("length",), frozenset(["color"])),
    "flowcell": (("position", "lane", "tile"), frozenset(["color", "cycles"])),
    "nanopore": (("position", "length"), frozenset(["color"])),
    "gc-quality": (("gc", "quality", "length"), frozenset()),
    "length-quality": (("length", "quality"), frozenset()),
}

# Kinds that draw one layout.
_LAYOUT_OF = {"flowcell": "flowcell", "nanopore": "nanopore"}

# What colours can show in them that is no column.
_MEASURES = {"density": ("count",), "nanopore": ("count",), "flowcell": ("deviation",)}

# Kinds of which a page in a browser can be made.
_PAGES = ("overview", "scatter")

# What input, arguments and the machine can cause; anything else is a fault of the program.
_EXPECTED = (
    GenomeVedicError,
    ImportError,
    MemoryError,
    NotImplementedError,
    OSError,
    ValueError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those the process was started with.

    Returns
    -------
    int
        The exit status.
    """
    try:
        return _main(arguments)
    except KeyboardInterrupt:
        return 130


def _main(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A read name may hold bytes that the terminal's encoding cannot show.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        # Of a sign in a file's name that the picture's font does not have.
        warnings.filterwarnings("ignore", message="Glyph ")
        warnings.showwarning = functools.partial(_show_warning, set())
        return _run(options.run, options)


def _run(command: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Run a command, and turn what can go wrong into a sentence and an exit status.

    A fault of the program itself is left to end in a traceback.
    """
    try:
        command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes standard output once more on its way out; that must not fail again.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except _EXPECTED as error:
        _say(_message(error))
        return 1
    return 0


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and not isinstance(error, GenomeVedicError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return _in_words_of_the_shell(str(error)) or type(error).__name__


def _in_words_of_the_shell(text: str) -> str:
    for argument, option in _OPTIONS.items():
        text = text.replace(argument, option)
    return text


def _say(text: str) -> None:
    """Write one line to standard error, whatever file names and read names it repeats."""
    print(f"genomevedic: {printable(' '.join(text.split()))}", file=sys.stderr)


def _show_warning(
    shown: set[str],
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Say a warning once: the look at the beginning and the reading may find the same.

    What libraries have to say to programmers, as of deprecations, is not for users of a command.
    """
    text = _in_words_of_the_shell(str(message))
    if category in (UserWarning, MissingEndBlockWarning) and text not in shown:
        shown.add(text)
        _say(f"note: {text}")


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(
        prog="genomevedic", description="Sequencing reads as particles."
    )
    parser.add_argument("--version", action="version", version=f"genomevedic {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    info = commands.add_parser(
        "info",
        help="say what a FASTQ file holds",
        description="Look at the first reads of a FASTQ file, then read it whole and count.",
    )
    _add_source(info)
    info.add_argument("--json", action="store_true", help="print JSON instead of a table")
    info.add_argument(
        "--reads",
        type=_positive,
        default=_PEEK_READS,
        metavar="N",
        help="number of reads for the look at the beginning (default: %(default)s)",
    )
    info.set_defaults(run=_info)

    plot = commands.add_parser(
        "plot",
        help="draw a picture of a FASTQ file",
        description="Draw the reads as points, and the distributions of GC and mean quality; or "
        "another kind of picture.",
    )
    _add_source(plot)
    plot.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="PICTURE",
        help="file to write; its ending tells the format (png, pdf, svg, ..., or html for a page "
        "that opens in a browser)",
    )
    plot.add_argument(
        "--kind",
        type=lambda word: word.replace("_", "-"),  # as the functions are called
        choices=tuple(_KINDS),
        default="overview",
        help="what to draw (default: %(default)s)",
    )
    _add_choice_of_reads(plot)
    plot.add_argument(
        "--max-points",
        type=_positive,
        metavar="N",
        help="of more reads than this draw the density instead of points (default: 200000)",
    )
    plot.add_argument(
        "--color",
        metavar="COLUMN",
        help="what colours show, or a histogram counts: gc, quality, length, ...; count (of a "
        "density or a chip), deviation (of the quality on a flow cell)",
    )
    plot.add_argument(
        "--cycles",
        type=_positive,
        metavar="N",
        help="draw the flow cell once for each bin of N cycles",
    )
    plot.set_defaults(run=_plot, reads=_PEEK_READS)

    view = commands.add_parser(
        "view",
        help="look at a FASTQ file in space",
        description=(
            "Open the reads in napari, where it is installed and there is a screen; else, or where "
            "-o names it, write a web page that any browser opens, and print its name."
        ),
    )
    _add_source(view)
    view.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PAGE",
        help="write this web page (.html), and open no window",
    )
    _add_choice_of_reads(view)
    view.add_argument(
        "--max-points",
        type=_positive,
        default=_VIEWED_POINTS,
        metavar="N",
        help="show this many reads at most, chosen at random (default: %(default)s)",
    )
    view.set_defaults(run=_view, reads=_PEEK_READS)
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="FASTQ file, plain, gzip or BGZF; - is standard input"
    )
    parser.add_argument(
        "--encoding",
        choices=("phred33", "phred64"),
        help="of the qualities; by default what the first reads show, Phred+33 in doubt",
    )
    parser.add_argument(
        "--max-record-bytes",
        type=_size,
        default=DEFAULT_MAX_RECORD_BYTES,
        metavar="SIZE",
        help="a longer record is an error (default: 1 GiB)",
    )


def _add_choice_of_reads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--layout",
        default="auto",
        help="where a read stands: auto (default), flowcell, nanopore, pacbio, mgi, composition, "
        "tetranucleotide, spiral or grid",
    )
    parser.add_argument(
        "--min-quality",
        type=_quality,
        default=0.0,
        metavar="Q",
        help="leave out reads whose mean Phred score is lower",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, and is {text!r}")
    return int(text)


def _quality(text: str) -> float:
    with suppress(ValueError):
        if not math.isnan(number := float(text)):
            return number
    raise argparse.ArgumentTypeError(f"must be a number, and is {text!r}")


def _size(text: str) -> int:
    try:
        return parse_size(text, "it")
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class _Waiting(io.RawIOBase):
    """A stream whose reading a signal interrupts at once.

    A signal that comes just before a blocking read goes unnoticed until there is data. Waiting for
    data with a time limit, and reading only then, notices it after that time at the latest.
    """

    def __init__(self, stream: io.RawIOBase, name: str) -> None:
        self.name = name
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        while not select.select([self._stream], [], [], 0.2)[0]:
            pass
        return self._stream.readinto(buffer)


def _as_stream(file: str) -> _Waiting | None:
    """Return a stream where the input can be read only once, None where it is a file on disk."""
    if file == "-":
        if sys.stdin is None:
            raise ValueError("Standard input is closed.")
        # Unbuffered, so that nothing lies read where waiting for data does not see it.
        stream: Any = sys.stdin.buffer
        return _Waiting(getattr(stream, "raw", stream), _STANDARD_INPUT)
    path = Path(file)
    if path.is_fifo() or path.is_char_device() or path.is_socket():
        return _Waiting(path.open("rb", buffering=0), file)
    return None


def _open(options: argparse.Namespace) -> tuple[FastqSummary, Any]:
    """Look at the beginning of the input, and return what it is and what to read it from.

    What can be read only once is: the bytes of the look are handed out again.
    """
    from .peek import peek_stream, peek_with

    limits = {"max_record_bytes": options.max_record_bytes}
    stream = _as_stream(options.file)
    if stream is None:
        return peek_with(options.file, options.reads, **limits), options.file
    return peek_stream(stream, options.reads, stream.name, **limits)


def _encoding(options: argparse.Namespace, summary: FastqSummary) -> Literal["phred33", "phred64"]:
    """Return the encoding to read with; one that was found and not asked for is announced."""
    if options.encoding:
        return "phred64" if options.encoding == "phred64" else "phred33"
    if summary.encoding == "phred64":
        warnings.warn(
            "The qualities look like Phred+64 and are read so; --encoding phred33 reads them "
            "as Phred+33.",
            UserWarning,
            stacklevel=2,
        )
        return "phred64"
    return "phred33"


def _show_progress() -> bool:
    """Whether a progress bar has somebody to look at it, and tqdm to draw it."""
    return sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None


def _info(options: argparse.Namespace) -> None:
    summary, source = _open(options)
    encoding = _encoding(options, summary)
    reader = scan_fastq(
        source,
        columns=("length",),
        encoding=encoding,
        max_record_bytes=options.max_record_bytes,
        progress=_show_progress(),
    )
    with reader:
        for _ in reader.batches():
            pass
        stats = reader.stats.as_dict()
    if options.json:
        print(json.dumps(_info_json(summary, stats, encoding), indent=2))
    else:
        print(_info_text(summary, stats, encoding))


def _info_json(summary: FastqSummary, stats: dict[str, Any], encoding: str) -> dict[str, Any]:
    """Return `info` as values that JSON can hold: what is not a number is null."""

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            # Bytes of a name that are no text are lone surrogates, which JSON cannot carry.
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, (tuple, list)):
            return [plain(each) for each in value]
        return value

    return {
        "summary": {name: plain(value) for name, value in summary.as_dict().items()},
        "read_as": encoding,
        "stats": {name: plain(value) for name, value in stats.items()},
    }


def _info_text(summary: FastqSummary, stats: dict[str, Any], encoding: str) -> str:
    look = [row for row in summary.rows() if row[0] != "reads in all"]
    whole = [
        ("reads", f"{stats['reads']:,}"),
        ("bases", f"{stats['bases']:,}"),
        ("unknown bases", f"{stats['unknown_bases']:,}"),
        ("mean length", _number(stats["mean_length"], "{:,.1f}")),
        ("GC", _number(stats["mean_gc"], "{:.2%}").replace("%", " %")),
        ("mean quality", _number(stats["mean_quality"], "Q{:.2f}") + _read_as(encoding)),
        ("input", f"{stats['bytes_in']:,} bytes"),
        ("text", f"{stats['text_bytes']:,} bytes"),
        ("time", f"{stats['seconds']:.2f} s"),
    ]
    if stats["wrapped"]:
        whole.append(("records", "wrapped over several lines"))
    if stats["missing_end_blocks"]:
        whole.append(("BGZF", "the end block is missing: the file may have been cut"))
    width = max(len(label) for label, _ in look + whole)

    def table(title: str, rows: list[tuple[str, str]]) -> list[str]:
        return [title, *(f"  {label:<{width}}  {text}" for label, text in rows)]

    return "\n".join([*table("At the beginning", look), "", *table("In the whole input", whole)])


def _read_as(encoding: str) -> str:
    return " (read as Phred+64)" if encoding == "phred64" else ""


def _number(value: float, form: str) -> str:
    return "unknown" if math.isnan(value) else form.format(value)


def _plot(options: argparse.Namespace) -> None:
    from . import plot

    figure = plot.new_figure()
    _check_kind(options)
    _check_output(figure, options.output)
    summary, source = _open(options)
    reader = scan_fastq(
        source,
        layout=_LAYOUT_OF.get(options.kind, options.layout),
        min_quality=options.min_quality,
        columns=_columns(options),
        encoding=_encoding(options, summary),
        max_record_bytes=options.max_record_bytes,
        progress=_show_progress(),
    )
    with reader:
        if options.output.suffix.lower() == ".html":
            _write_page(reader, options)
        else:
            _draw(reader, figure, options)
            # Once for the ticks, which depend on the size of the axes, and once for their room.
            figure.draw_without_rendering()
            figure.savefig(options.output)
    print(options.output)


def _view(options: argparse.Namespace) -> None:
    page = options.output
    if page is None and _has_window():
        from . import napari

        particles = _read_to_view(options)
        title = _plain_title(options, _stats_of(particles))
        napari.view(particles, max_points=options.max_points, rng=0, title=title)
        import napari as application

        application.run()
        return
    page = page or _page_beside(options.file)
    if page.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"The ending of {page} must be .html.")
    if not page.parent.is_dir():
        raise ValueError(f"The folder {page.parent} for the page does not exist.")
    from .notebook import import_k3d
    from .web import to_html

    # Before a long file is read.
    import_k3d()
    particles = _read_to_view(options)
    title = _plain_title(options, _stats_of(particles))
    print(to_html(particles, page, title=title, max_points=options.max_points, rng=0))


def _has_window() -> bool:
    """Whether napari can open one; why it cannot is said."""
    from .napari import window_fault

    if importlib.util.find_spec("napari") is None:
        reason = 'napari is not installed (pip install "genomevedic[napari]").'
    else:
        fault = window_fault()
        if fault is None:
            return True
        reason = f"{fault.code}: {fault}"
    warnings.warn(f"{reason} A web page is written instead.", UserWarning, stacklevel=2)
    return False


def _page_beside(file: str) -> Path:
    """Return a page in the current folder that is named after the input."""
    name = "reads" if file == "-" else Path(file).name.split(".")[0]
    return Path(f"{name or 'reads'}.html")


def _read_to_view(options: argparse.Namespace) -> Particles:
    summary, source = _open(options)
    # A page colours by tile where there are any.
    tiles = ("tile",) if {"flowcell", "mgi"} & set(summary.layouts) else ()
    return read_fastq(
        source,
        layout=options.layout,
        columns=(*DEFAULT_COLUMNS, *tiles),
        min_quality=options.min_quality,
        encoding=_encoding(options, summary),
        max_record_bytes=options.max_record_bytes,
        progress=_show_progress(),
    )


def _stats_of(particles: Particles) -> ReadStats:
    assert particles.stats is not None  # a reader gave them
    return particles.stats


def _check_kind(options: argparse.Namespace) -> None:
    """Raise where an option makes no sense for the kind of picture."""
    for name in ("color", "max_points", "cycles"):
        if getattr(options, name) is not None and name not in _KINDS[options.kind][1]:
            raise ValueError(f"--{name.replace('_', '-')} does not go with --kind {options.kind}.")
    _check_color(options)
    layout = _LAYOUT_OF.get(options.kind, options.layout)
    if options.layout not in ("auto", layout):
        raise ValueError(f"--kind {options.kind} draws the layout {layout}, not {options.layout}.")
    if options.output.suffix.lower() == ".html" and options.kind not in _PAGES:
        kinds = " or ".join(_PAGES)
        raise ValueError(f"A page shows the reads as points: --kind {kinds}, not {options.kind}.")


def _check_color(options: argparse.Namespace) -> None:
    """Raise where --color names nothing that the kind of picture can show."""
    from matplotlib.colors import is_color_like

    color = options.color
    # Cycles have a table of their own.
    if color is None or options.cycles is not None:
        return
    known = {*COLUMNS, "x", "y", "z", *_MEASURES.get(options.kind, ())}
    if color in known or (options.kind in _PAGES and is_color_like(color)):
        return
    raise ValueError(f"--color: --kind {options.kind} has no {color!r} to show.")


def _columns(options: argparse.Namespace) -> list[str]:
    """Return the columns that the picture needs."""
    columns = [*_KINDS[options.kind][0]]
    if options.cycles is not None:
        columns = ["lane", "tile", "sequence", "qualities"]
    color = options.color or {"hist": "quality", "flowcell": "quality"}.get(options.kind)
    color = "quality" if color == "deviation" else color
    if color in COLUMNS and color not in columns and options.cycles is None:
        columns.append(color)
    return columns


def _write_page(reader: FastqReader, options: argparse.Namespace) -> None:
    from .web import to_html

    particles = reader.read()
    most = {} if options.max_points is None else {"max_points": options.max_points}
    title = _plain_title(options, reader.stats)
    to_html(particles, options.output, color=options.color, title=title, rng=0, **most)


def _draw(reader: FastqReader, figure: Figure, options: argparse.Namespace) -> None:
    """Draw the reads of a reader into an empty figure."""
    from . import plot
    from .plot.canvas import GROUND

    color = {} if options.color is None else {"color": options.color}
    if options.kind == "nanopore":
        plot.nanopore(reader, fig=figure, **color)
    elif options.kind == "overview":
        most = options.max_points or plot.MAX_POINTS
        plot.overview(reader.read(), fig=figure, max_points=most, **color)
    else:
        # A layout for axes whose proportions are those of the data.
        figure.set_layout_engine("compressed")
        ax: Any = figure.add_subplot()
        ax.set_facecolor(GROUND if options.kind != "hist" else "white")
        if options.kind == "scatter":
            most = options.max_points or plot.MAX_POINTS
            plot.scatter(reader.read(), ax=ax, max_points=most, **color)
        elif options.kind == "density":
            plot.density(reader, ax=ax, **color)
        elif options.kind == "hist":
            plot.hist(reader.read(), options.color or "quality", ax=ax)
        elif options.kind == "flowcell":
            plot.flowcell(reader, ax=ax, cycles=options.cycles, **color)
        elif options.kind == "gc-quality":
            plot.gc_quality(reader.read(), ax=ax)
        else:
            plot.length_quality(reader.read(), ax=ax)
    # Matplotlib would read what stands between two dollar signs as a formula.
    title = _plain_title(options, reader.stats).replace("$", r"\$")
    figure.suptitle(title, x=0.01, ha="left")


def _check_output(figure: Any, output: Path) -> None:
    """Raise before the input is read where the picture could not be written after it."""
    formats = {*figure.canvas.get_supported_filetypes(), "html"}
    if output.suffix[1:].lower() not in formats:
        known = ", ".join(sorted(formats))
        raise ValueError(
            f"The ending of {output} names no picture format; it must be one of {known}."
        )
    if not output.parent.is_dir():
        raise ValueError(f"The folder {output.parent} for the picture does not exist.")


def _plain_title(options: argparse.Namespace, stats: ReadStats) -> str:
    name = _STANDARD_INPUT if options.file == "-" else Path(shown(options.file)).name
    title = f"{printable(name)}: {counted_reads(stats.kept)}"
    if stats.filtered:
        title += f", {stats.filtered:,} below Q{options.min_quality:g} left out"
    return title
