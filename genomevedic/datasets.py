"""The sample data that ships with the package."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

__all__ = ["flowcell_sample"]


def flowcell_sample() -> Path:
    """Return the path of a small simulated sequencing run.

    A gzipped FASTQ file of 7,040 reads of 75 bases with Illumina (Casava 1.8) names: 2 lanes,
    2 surfaces, 4 tiles each; reads of two genomes with 34 % and 63 % GC; and a round region on
    lane 1, surface 1 (tiles 1102 and 1103), a bubble, where the quality of cycles 20 to 59
    collapses. It is made by ``tools/make_sample.py`` and holds no real data.

    Returns
    -------
    pathlib.Path
        A file inside the installed package. Do not write to it.

    Examples
    --------
    >>> import genomevedic as gv
    >>> len(gv.read_fastq(gv.datasets.flowcell_sample()))
    7040
    """
    resource = importlib.resources.files("genomevedic") / "data" / "flowcell_sample.fastq.gz"
    if not isinstance(resource, Path):
        raise FileNotFoundError(
            "The sample cannot be given as a file because the package was imported from an "
            "archive; install genomevedic as a directory."
        )
    return resource
