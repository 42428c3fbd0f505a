"""Sequencing reads as particles: a place, a colour and a size for every read, zero-copy.

>>> import genomevedic as gv
>>> particles = gv.read_fastq(gv.datasets.flowcell_sample())
>>> particles.position.shape[1], particles.gc.dtype.name
(3, 'float32')
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    from ._core import config as _config
except ModuleNotFoundError as error:
    if error.name != "genomevedic._core":
        raise
    raise ImportError(
        "genomevedic was imported from a source tree whose C core is not built: run `make demo` "
        "and use .venv/bin/python, or `pip install .` and start Python elsewhere"
    ) from error

from . import errors, layouts, memory, sources
from .config import show_config
from .fastq import (
    COLUMNS,
    DEFAULT_COLUMNS,
    DEFAULT_MAX_RECORD_BYTES,
    FastqReader,
    read_fastq,
    scan_fastq,
)
from .particles import Particles
from .stats import ReadStats
from .table import Table
from .text import TextColumn

if TYPE_CHECKING:
    from . import datasets, napari, plot, recovery
    from .flowcell import TileTable, tiles
    from .pairs import PairTable, optical_pairs
    from .peek import FastqSummary, peek_fastq
    from .summaries import ReadSummary, summary
    from .voxels import VoxelGrid, voxelize
    from .watching import WatchedBatch, Watcher, watch
    from .web import to_html

__version__: str = _config()["version"]

__all__ = [
    "COLUMNS",
    "DEFAULT_COLUMNS",
    "DEFAULT_MAX_RECORD_BYTES",
    "FastqReader",
    "FastqSummary",
    "PairTable",
    "Particles",
    "ReadStats",
    "ReadSummary",
    "Table",
    "TextColumn",
    "TileTable",
    "VoxelGrid",
    "WatchedBatch",
    "Watcher",
    "__version__",
    "datasets",
    "errors",
    "layouts",
    "memory",
    "napari",
    "optical_pairs",
    "peek_fastq",
    "plot",
    "read_fastq",
    "recovery",
    "scan_fastq",
    "show_config",
    "sources",
    "summary",
    "tiles",
    "to_html",
    "voxelize",
    "watch",
]

# Imported where they are first used: name here -> (module, name there; None for the module).
_LATE = {
    "FastqSummary": ("peek", "FastqSummary"),
    "PairTable": ("pairs", "PairTable"),
    "ReadSummary": ("summaries", "ReadSummary"),
    "TileTable": ("flowcell", "TileTable"),
    "VoxelGrid": ("voxels", "VoxelGrid"),
    "WatchedBatch": ("watching", "WatchedBatch"),
    "Watcher": ("watching", "Watcher"),
    "datasets": ("datasets", None),
    "optical_pairs": ("pairs", "optical_pairs"),
    "peek_fastq": ("peek", "peek_fastq"),
    "plot": ("plot", None),
    "summary": ("summaries", "summary"),
    "tiles": ("flowcell", "tiles"),
    "voxelize": ("voxels", "voxelize"),
    "watch": ("watching", "watch"),
    "recovery": ("recovery", None),
    "napari": ("napari", None),
    "to_html": ("web", "to_html"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'genomevedic' has no attribute {name!r}")
    module_name, attribute = _LATE[name]
    module = import_module(f"genomevedic.{module_name}")
    found = module if attribute is None else getattr(module, attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
