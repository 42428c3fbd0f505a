"""Pictures of particles, drawn with Matplotlib (extra ``plot``).

Every function takes ``ax=None`` (or ``fig=None``), hands keyword arguments on to the artist it
makes, returns that artist, and never calls ``show``. What a picture leaves out, such as reads
without a place, is written into it in words, and so is a choice among more reads than can be drawn
as points.
"""

from __future__ import annotations

from .chips import chip, nanopore, yield_over_time
from .colors import GC_COLORS, gc_colormap
from .flowcells import flowcell
from .histograms import hist
from .images import density
from .pages import new_figure, overview
from .points import MAX_POINTS, scatter
from .relations import gc_quality, length_quality
from .watching import live

__all__ = [
    "GC_COLORS",
    "MAX_POINTS",
    "chip",
    "density",
    "flowcell",
    "gc_colormap",
    "gc_quality",
    "hist",
    "length_quality",
    "live",
    "nanopore",
    "new_figure",
    "overview",
    "scatter",
    "yield_over_time",
]
