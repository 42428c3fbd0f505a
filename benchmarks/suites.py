"""What is compared with what, on which file."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import programs
from checks import FASTP
from session import HERE, Contender, Suite

SAME = "same job"
PARSE = "parses only"
DEFAULTS = "more: all default columns, validated"

TITLES = {
    "illumina": "Illumina-like, 150 bases, binned qualities",
    "illumina-unbinned": "Illumina-like, 150 bases, unbinned qualities",
    "nanopore": "Nanopore-like, 8 kb on average",
}
FORMS = {"plain": "plain", "gzip": "gzip of one member", "bgzf": "BGZF"}

# Key, name, distribution, and whether it is quick enough to parse the whole file.
PYTHON_PEERS = [
    ("dnaio", "dnaio", "dnaio", True),
    ("pyfastx", "pyfastx", "pyfastx", False),
    ("needletail-py", "needletail (Python)", "needletail", False),
    ("mappy", "mappy", "mappy", False),
    ("pysam", "pysam", "pysam", False),
    ("biopython", "Biopython, FastqGeneralIterator", "biopython", False),
]
RUST_PEERS = ["needletail", "paraseq", "seq_io", "helicase", "helicase-mmap"]


def package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


class Maker:
    """Makes the suites from the files, the programs that could be built, and genomevedic's own."""

    def __init__(self, files: list[dict[str, Any]], config: dict[str, Any]) -> None:
        self.notes = programs.Notes()
        self.files = {(each["kind"], each["form"], each["part"]): each for each in files}
        self.config = config
        libraries = {"zlib": "", "libisal": "HAVE_ISAL", "libdeflate": "HAVE_LIBDEFLATE"}
        self.limits = programs.build_c("limits", libraries, self.notes)
        self.spawn = programs.build_c("spawn", {}, self.notes)
        self.kseq = programs.build_c("kseq_parser", {"zlib": "", "htslib": ""}, self.notes)
        self.rust = programs.build_rust(self.notes)
        self.crates = programs.crate_versions()

    def all(self) -> list[Suite]:
        suites = []
        for kind in TITLES:
            for form, make in (("plain", self.plain), ("gzip", self.gzip), ("bgzf", self.bgzf)):
                if (kind, form, "whole") in self.files:
                    title = f"{TITLES[kind]}, {FORMS[form]}"
                    suites.append(self.suite(title, (kind, form, "whole"), make(kind)))
                else:
                    self.notes.add(f"no {form} of {kind}: nothing here writes it")
        mega = ("illumina", "plain", "1 MB")
        kilo = ("illumina", "plain", "1 kB")
        goes = [again(self.ours("gv")), again(self.frozen())]
        suites.append(self.suite("A file of 1 MB, 20 times in a row", mega, goes))
        suites.append(self.suite("1 kB of bytes", kilo, [self.small()]))
        suites.append(self.suite("A peek, and the import", ("sparse", "plain", "10 GB"), probes()))
        return suites

    def suite(self, title: str, key: tuple[str, str, str], contenders: list[Contender]) -> Suite:
        whole = self.files[key]
        sample = self.files.get((*key[:2], "sample"), whole)
        return Suite(title, whole, sample, contenders)

    # --------------------------------------------------------------------------------------------
    # Suites
    # --------------------------------------------------------------------------------------------

    def plain(self, kind: str) -> list[Contender]:
        return [
            *self.limit("read", "read() into a reused buffer", "read()"),
            *self.installed(
                "wc", "wc -l", "counts line ends", ["wc", "-l", "{path}"], limit="wc -l"
            ),
            self.ours("gv"),
            replace(self.ours("gv"), key="gv-fresh", name="genomevedic, first call", is_fresh=True),
            self.ours("gv-3"),
            self.ours("gv-threads-2"),
            *([self.ours("gv-no-place"), self.ours("gv-flowcell")] if kind == "illumina" else []),
            *self.simd_variants(),
            *(self.streams() if kind == "illumina" else []),
            *self.rust_peers(RUST_PEERS),
            *self.kseq_peers(),
            *self.python_peers(("dnaio",) if kind == "illumina-unbinned" else ()),
            *([*self.other_programs(), self.frozen()] if kind == "illumina" else []),
        ]

    def gzip(self, kind: str) -> list[Contender]:
        return [
            *self.installed(
                "igzip", "igzip -dc", "inflates (ISA-L)", ["igzip", "-dc", "{path}"], "igzip"
            ),
            *self.limit("isal", "ISA-L to nowhere", "ISA-L"),
            *self.limit("zlib", "zlib to nowhere", "zlib"),
            self.ours("gv"),
            *self.engines(),
            *self.rust_peers(["needletail", "helicase"]),
            *self.kseq_peers(),
            self.dnaio_default(),
            *self.python_peers(("dnaio", "mappy", "pysam")),
        ]

    def bgzf(self, kind: str) -> list[Contender]:
        bgzip = ["bgzip", "-dc", "{path}"]
        return [
            *self.installed("bgzip-1", "bgzip -@1 -dc", "inflates", [*bgzip, "-@1"], "bgzip -@1"),
            *self.installed("bgzip-2", "bgzip -@2 -dc", "inflates", [*bgzip, "-@2"], "bgzip -@2"),
            *self.limit("blocks-libdeflate", "libdeflate, block by block", "libdeflate"),
            *self.limit("blocks-isal", "ISA-L, block by block", "ISA-L"),
            *self.limit("blocks-zlib", "zlib, block by block", "zlib"),
            self.ours("gv"),
            self.ours("gv-threads-2"),
            *self.engines(),
            *self.rust_peers(["needletail", "helicase"]),
            *self.python_peers(("dnaio", "pysam")),
        ]

    # --------------------------------------------------------------------------------------------
    # Contenders
    # --------------------------------------------------------------------------------------------

    def ours(self, key: str) -> Contender:
        names = {
            "gv": ("genomevedic", DEFAULTS),
            "gv-3": ("genomevedic, length gc quality", f"{SAME}, validated"),
            "gv-threads-2": ("genomevedic, 2 threads", DEFAULTS),
            "gv-no-place": ("genomevedic, without places", "all other default columns, validated"),
            "gv-flowcell": ("genomevedic, places on the flow cell", DEFAULTS),
        }
        name, work = names[key]
        return python(key, name, work, self.config["version"])

    def simd_variants(self) -> list[Contender]:
        made = []
        for each in self.config["simd_variants"]:
            name = f"genomevedic, {each}"
            made.append(python(f"gv-simd:{each}", name, DEFAULTS, self.config["version"]))
        return made

    def engines(self) -> list[Contender]:
        made = []
        for each in self.config["inflate_engines"]:
            name = f"genomevedic, inflated by {each}"
            made.append(python(f"gv-engine:{each}", name, DEFAULTS, self.config["version"]))
        return made

    def streams(self) -> list[Contender]:
        """Ten times the reads, of a whole and of a stream of batches."""
        whole = python("gv-stream", "scan_fastq, the file 25 times", DEFAULTS)
        return [
            replace(self.ours("gv"), key="gv-tenth", name="genomevedic", on_sample=True),
            whole,
            replace(whole, key="gv-stream-tenth", on_sample=True),
        ]

    def small(self) -> Contender:
        return python("gv-small", "read_fastq of bytes", DEFAULTS, self.config["version"])

    def frozen(self) -> Contender:
        return python("frozen", "pure-Python loop", SAME, sys.version.split()[0])

    def installed(
        self, key: str, name: str, work: str, command: list[str], limit: str = ""
    ) -> list[Contender]:
        if not programs.has(command[0]):
            self.notes.add(f"no {command[0]} on this machine")
            return []
        if self.spawn is None:
            return []
        check = key if key.startswith("seqtk") else command[0]
        checked_by = [sys.executable, str(HERE / "checks.py"), check, "{path}"]
        version = programs.version(command[0])
        command = [str(self.spawn), *command]
        return [Contender(key, name, work, command, version, limit=limit, check=checked_by)]

    def limit(self, key: str, name: str, short: str) -> list[Contender]:
        if self.limits is None:
            return []
        return [Contender(key, name, "limit", [str(self.limits), key], limit=short)]

    def rust_peers(self, names: list[str]) -> list[Contender]:
        if self.rust is None:
            return []
        made = []
        for name in names:
            version = self.crates[name.removesuffix("-mmap")]
            shown = f"{name} (Rust)" if "-" not in name else "helicase (Rust), mmap"
            for job, work in (("parse", PARSE), ("measure", SAME)):
                command = [str(self.rust), name, job]
                made.append(Contender(f"rust-{name}-{job}", shown, work, command, version))
        return made

    def kseq_peers(self) -> list[Contender]:
        if self.kseq is None:
            return []
        version = "htslib " + programs.run(["pkg-config", "--modversion", "htslib"]).strip()
        return [
            Contender(f"kseq-{job}", "kseq.h", work, [str(self.kseq), job], version)
            for job, work in (("parse", PARSE), ("measure", SAME))
        ]

    def python_peers(self, only: tuple[str, ...] = ()) -> list[Contender]:
        made = []
        for key, name, package, is_quick in PYTHON_PEERS:
            if only and key not in only:
                continue
            found = package_version(package)
            parse = python(f"{key}-parse", name, PARSE, found)
            measure = python(f"{key}-measure", name, f"{SAME}, in Python", found)
            made.append(replace(parse, on_sample=not is_quick))
            made.append(replace(measure, on_sample=True))
        return made

    def dnaio_default(self) -> Contender:
        name = "dnaio, inflating in a thread of its own"
        return python("dnaio-parse-2", name, PARSE, package_version("dnaio"))

    def other_programs(self) -> list[Contender]:
        seqkit = ["seqkit", "fx2tab", "-j", "1", "-nlgq", "{path}"]
        fastp = [*FASTP, "-j", "/dev/null", "-i", "{path}"]
        rows = [
            (
                "seqtk-comp",
                "seqtk comp",
                "base counts as text, no qualities",
                ["seqtk", "comp", "{path}"],
            ),
            (
                "seqtk-fqchk",
                "seqtk fqchk",
                "other: bases and qualities a cycle",
                ["seqtk", "fqchk", "{path}"],
            ),
            ("seqkit", "seqkit fx2tab -nlgq", f"{SAME}, as text", seqkit),
            ("fastp", "fastp", "more: k-mers, curves; 3 threads", fastp),
        ]
        made = [each for row in rows for each in self.installed(*row)]
        return [replace(each, on_sample=True) for each in made]


def python(key: str, name: str, work: str, version: str = "") -> Contender:
    return Contender(key, name, work, [sys.executable, str(HERE / "server.py"), key], version)


def again(contender: Contender) -> Contender:
    """The same Python contender, each round the median of several goes."""
    *interpreter, key = contender.command
    return replace(contender, command=[*interpreter, f"again:{key}"])


def probes() -> list[Contender]:
    return [
        python("peek", "peek_fastq of 10 GB", "1000 reads"),
        python("import", "import genomevedic", "over import numpy"),
    ]
