"""The axes that helpers draw on: which ones, their labels, and words written into the picture."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from ..layouts import axis_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..layouts import Layout

__all__ = [
    "FIGURE_SIZE",
    "GROUND",
    "axes_for",
    "counted",
    "current_axes",
    "darken",
    "is_3d",
    "is_narrow",
    "leave_room",
    "left_out_note",
    "new_page",
    "points_per_pixel",
    "refuse_3d",
    "require_matplotlib",
    "set_axes",
    "unplaced_note",
    "write_notes",
]

#: Yellow, green and cyan of the colour scale need a dark ground to be seen.
GROUND = "#14161c"

#: Width and height of a figure that this package makes, in inches.
FIGURE_SIZE = (11.0, 6.2)

# How many times as long as wide axes of equal scales are at the most.
_NARROW = 8.0

# Kinds of layout that a picture names; that the others are computed, their axes say.
_NAMED_KINDS = frozenset(["physical", "schematic", "decorative"])


def require_matplotlib() -> None:
    """Raise in one sentence that names the extra where Matplotlib is not there."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'Drawing needs Matplotlib; install it with: pip install "genomevedic[plot]"'
        ) from error


def axes_for(ax: Axes | None, *, is_dark: bool = False) -> Axes:
    """Return the axes that were given, or the current ones; they must be flat."""
    if ax is None:
        return current_axes(is_dark=is_dark)
    refuse_3d(ax)
    return ax


def current_axes(*, is_dark: bool = False) -> Axes:
    """Return the current axes of pyplot, with a dark ground where that is asked for."""
    import matplotlib.pyplot as plt

    leave_room(plt.gcf())
    ax = plt.gca()
    refuse_3d(ax)
    if is_dark:
        ax.set_facecolor(GROUND)
    return ax


def new_page() -> Figure:
    """Return a new figure of pyplot for several parts."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=FIGURE_SIZE, layout="constrained")


def leave_room(figure: Any) -> None:
    """Let an empty figure that nobody has laid out leave room for labels of several lines.

    Of the layouts it is the one that `matplotlib.pyplot.tight_layout` may follow.
    """
    if not figure.axes and figure.get_layout_engine() is None:
        figure.set_layout_engine("tight")


def is_3d(ax: Axes) -> bool:
    """Tell whether axes are three-dimensional."""
    return hasattr(ax, "get_zlim")


def refuse_3d(ax: Axes) -> None:
    """Raise where axes are three-dimensional."""
    if is_3d(ax):
        raise ValueError("these axes are three-dimensional; give axes made without projection='3d'")


def darken(ax: Any) -> None:
    """Give the three panes of three-dimensional axes the dark ground, and lines that show on it."""
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color(GROUND)
        axis._axinfo["grid"].update(color="#3a3f4b", linewidth=0.6)


def points_per_pixel(ax: Axes) -> float:
    """Return how many typographic points a pixel is."""
    figure: Any = ax.figure
    return float(72.0 / figure.dpi)


def set_axes(ax: Any, layout: Layout, axes: Sequence[int]) -> None:
    """Label axes with what a layout's axes show, and make units as long along each of them.

    Not where that would leave a thin line of a picture; the numbers along the axes say so.
    """
    labels = [axis_label(layout, axis) for axis in axes]
    words = f"{layout.name} layout, {layout.kind}" if layout.kind in _NAMED_KINDS else ""
    units = {layout.units[axis] for axis in axes}
    ax.set_ylabel(labels[1])
    if is_3d(ax):
        ax.set_xlabel(labels[0])
        ax.set_zlabel(labels[2])
        ax.text2D(0.012, 0.012, words, transform=ax.transAxes)
        return
    ax.set_xlabel("\n".join(filter(None, (labels[0], words))))
    ax.autoscale_view()
    if len(units) == 1 and not is_narrow(ax):
        # The box follows the data, so that a unit is as long along x as along y.
        ax.set_aspect("equal", adjustable="datalim" if _shares_axis(ax) else "box")
        ax.autoscale_view()
    _space_ticks(ax)


def is_narrow(ax: Any) -> bool:
    """Tell whether axes of equal scales would be too narrow to see what is in them."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    wide, high = abs(right - left), abs(top - bottom)
    return bool(max(wide, high) > _NARROW * min(wide, high))


def _space_ticks(ax: Any) -> None:
    """Leave room between the ticks of large numbers, whose labels are long."""
    from matplotlib import rcParams
    from matplotlib.ticker import MaxNLocator

    ax.apply_aspect()
    box = ax.get_window_extent()
    points = {"x": box.width * points_per_pixel(ax), "y": box.height * points_per_pixel(ax)}
    for along, limits in (("x", ax.get_xlim()), ("y", ax.get_ylim())):
        largest = max(map(abs, limits))
        if largest < 10_000:
            continue
        axis = getattr(ax, f"{along}axis")
        size = rcParams["font.size"] * (0.8 * len(f"{largest:,.0f}") if along == "x" else 2.5)
        axis.set_major_locator(
            MaxNLocator(min(9, max(1, int(points[along] / size))), steps=[1, 2, 5, 10])
        )
        axis.set_major_formatter(lambda number, _: f"{number:,.0f}")


def _shares_axis(ax: Axes) -> bool:
    groups = (ax.get_shared_x_axes(), ax.get_shared_y_axes())
    return any(len(group.get_siblings(ax)) > 1 for group in groups)


# ------------------------------------------------------------------------------------------------
# Words
# ------------------------------------------------------------------------------------------------


def counted(count: int, total: int, singular: str, plural: str) -> str:
    """Return "2 of 10 reads <plural>", or nothing where there is none."""
    if count == 0:
        return ""
    return f"{count:,} of {total:,} reads {singular if count == 1 else plural}"


def unplaced_note(missing: int, total: int) -> str:
    """Say how many reads have no place."""
    return counted(
        missing, total, "has no place and is not drawn.", "have no place and are not drawn."
    )


def left_out_note(count: int, total: int, why: str) -> str:
    """Say that reads are left out; `why` is what they are or have, in the plural."""
    one = why.replace("have", "has").replace("are", "is", 1)
    return counted(count, total, f"{one} and is left out.", f"{why} and are left out.")


def write_notes(ax: Any, notes: Sequence[str]) -> None:
    """Write the notes along the upper edge of the axes, with the limits raised to make room."""
    from matplotlib import rcParams

    present = [note for note in notes if note]
    if not present:
        return
    size = 0.8 * rcParams["font.size"]
    style = {
        "transform": ax.transAxes,
        "ha": "left",
        "va": "top",
        "fontsize": size,
        "zorder": 10,
        "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2.0},
    }
    if is_3d(ax):
        lines = [line for note in present for line in textwrap.wrap(note, 60)]
        ax.text2D(0.012, 0.988, "\n".join(lines), **style)
        return
    ax.text(0.012, 0.988, "\n".join(_make_room(ax, present, size)), **style)


def _make_room(ax: Any, notes: list[str], size: float) -> list[str]:
    """Raise the upper limit of axes by the height of the notes, and return their lines."""
    scale = points_per_pixel(ax)
    is_log = ax.get_yscale() == "log"
    bottom, top = ax.get_ylim()
    lines: list[str] = []
    for _ in range(2):  # Raised limits make axes of equal aspect narrower, so measure again.
        ax.apply_aspect()
        box = ax.get_window_extent()
        columns = max(20, int(box.width * scale / (0.55 * size)))
        lines = [line for note in notes for line in textwrap.wrap(note, columns)]
        height = (1.35 * len(lines) + 1.0) * size / (box.height * scale)
        if height < 0.5 and is_log:
            ax.set_ylim(bottom, bottom * (top / bottom) ** (1.0 / (1.0 - height)))
        elif height < 0.5:
            ax.set_ylim(bottom, bottom + (top - bottom) / (1.0 - height))
    return lines
