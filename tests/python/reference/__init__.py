"""The oracle: FASTQ and gzip reading in slow, plain Python.

Every module here is written from the format rules (docs/formats) and shares nothing with the
C core, so that the two can be compared. Clarity comes before speed throughout.
"""

from .fastq import Parsed, Record, parse
from .faults import Fault
from .gzip_frames import Deframed, deframe
from .particles import ALL_COLUMNS, Table, read
from .skipping import Outcome, Skipped, read_skipping

__all__ = [
    "ALL_COLUMNS",
    "Deframed",
    "Fault",
    "Outcome",
    "Parsed",
    "Record",
    "Skipped",
    "Table",
    "deframe",
    "parse",
    "read",
    "read_skipping",
]
