"""The oracle: FASTQ and gzip reading in slow, plain Python.

Every module here is written from the format rules (docs/formats) and shares nothing with the
C core, so that the two can be compared. Clarity comes before speed throughout.
"""

from .fastq import Parsed, Record, parse
from .faults import Fault
from .gzip_frames import Deframed, deframe
from .particles import ALL_COLUMNS, Table, read

__all__ = [
    "ALL_COLUMNS",
    "Deframed",
    "Fault",
    "Parsed",
    "Record",
    "Table",
    "deframe",
    "parse",
    "read",
]
