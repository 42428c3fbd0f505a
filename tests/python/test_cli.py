"""The command line, run as its users run it."""

import gzip
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import genomevedic as gv
import runs
from browsers import opens_windows, screen
from support import bgzf, restore_control_c

COMMAND = [sys.executable, "-m", "genomevedic"]
SAMPLE = gv.datasets.flowcell_sample()
TIMEOUT = 120


def run(*arguments, stdin=b"", **options):
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT,
        **options,
    )
    done.out = done.stdout.decode("utf-8", "replace")
    done.err = done.stderr.decode("utf-8", "replace")
    return done


def failed(done):
    """Return the sentence with which a command failed, after checking that it is one."""
    assert done.returncode == 1
    assert done.out == ""
    assert done.err.startswith("genomevedic: ")
    assert done.err.count("\n") == 1 and done.err.endswith("\n")
    assert "Traceback" not in done.err
    return done.err


def plain_sample(count):
    return b"".join(
        b"@read%d\nACGTTGCAAC\n+\n%s\n" % (i, bytes([35 + i % 40]) * 10) for i in range(count)
    )


# --- info ---------------------------------------------------------------------------------------


def test_info_is_a_table():
    done = run("info", SAMPLE)
    assert (done.returncode, done.err) == (0, "")
    rows = dict(line.strip().split("  ", 1) for line in done.out.splitlines() if "  " in line[2:])
    rows = {label: text.strip() for label, text in rows.items()}
    assert rows["platform"] == "illumina"
    assert rows["format"] == "gzip"
    assert rows["reads"] == "7,040"
    assert rows["bases"] == "528,000"
    assert rows["encoding"] == "Phred+33, bytes '#' to 'F'"
    assert rows["input"] == f"{SAMPLE.stat().st_size:,} bytes"


def test_info_json_holds_the_summary_and_the_stats():
    done = run("info", SAMPLE, "--json", "--reads", 500)
    assert (done.returncode, done.err) == (0, "")
    told = json.loads(done.out)
    stats = gv.read_fastq(SAMPLE).stats
    assert told["summary"]["reads"] == 500
    assert told["summary"]["source"] == str(SAMPLE)
    assert told["summary"]["layouts"] == [
        "flowcell",
        "composition",
        "tetranucleotide",
        "spiral",
        "grid",
    ]
    assert told["read_as"] == "phred33"
    for name in ("reads", "kept", "bases", "unknown_bases", "text_bytes", "bytes_in"):
        assert told["stats"][name] == getattr(stats, name), name
    for name in ("mean_quality", "mean_gc", "mean_length"):
        assert told["stats"][name] == pytest.approx(getattr(stats, name), rel=1e-12)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_info_reads_standard_input_once_and_whole(pack):
    text = gzip.decompress(SAMPLE.read_bytes())
    done = run("info", "-", "--json", stdin=pack(text))
    assert (done.returncode, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["summary"]["source"] == "standard input"
    assert told["summary"]["format"] == ("plain" if pack is bytes else "gzip")
    assert told["summary"]["reads"] == 1000
    assert told["stats"]["reads"] == 7040
    assert told["stats"]["text_bytes"] == len(text)


def test_info_json_is_json_where_there_is_no_mean():
    done = run("info", "-", "--json", stdin=b"")
    assert done.returncode == 0
    told = json.loads(done.out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert told["stats"]["reads"] == 0
    assert told["stats"]["mean_gc"] is None
    assert told["summary"]["gc"] is None
    assert told["summary"]["first_name"] is None


def test_info_json_holds_no_lone_surrogates():
    done = run("info", "-", "--json", stdin=b"@r\xff\xc3\xa9\nA\n+\nI\n")
    assert done.returncode == 0
    name = json.loads(done.out)["summary"]["first_name"]
    assert name.encode("utf-8").decode("utf-8") == "r\\udcffé"


def test_info_of_nothing_in_words():
    done = run("info", "-", stdin=b"")
    assert done.returncode == 0
    assert "nan" not in done.out
    assert "unknown" in done.out


def test_info_reads_phred64_where_it_is_found_and_says_so():
    data = b"@r\nACGTACGT\n+\nBBBBhhhh\n"
    done = run("info", "-", "--json", stdin=data)
    assert done.returncode == 0
    assert "Phred+64" in done.err and done.err.count("\n") == 1
    told = json.loads(done.out)
    assert told["read_as"] == "phred64"
    assert told["stats"]["mean_quality"] == pytest.approx(21.0)

    asked = run("info", "-", "--json", "--encoding", "phred33", stdin=data)
    assert asked.err == ""
    assert json.loads(asked.out)["stats"]["mean_quality"] == pytest.approx(52.0)


def test_info_shows_names_that_are_no_text():
    done = run("info", "-", stdin=b"@\x1b[31mr\xff\nA\n+\nI\n")
    assert done.returncode == 0
    assert "\x1b" not in done.out
    assert "\\x1b[31mr\\udcff" in done.out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_info_reads_a_named_pipe_once_and_whole(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(SAMPLE.read_bytes(),))
    writer.start()
    done = run("info", path, "--json")
    writer.join()
    assert (done.returncode, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["summary"]["source"] == str(path)
    assert told["stats"]["reads"] == 7040


@pytest.mark.parametrize("count", [10, 5000])
def test_a_missing_end_block_is_noted_once(tmp_path, count):
    path = tmp_path / "reads.fastq.gz"
    path.write_bytes(bgzf(plain_sample(count), end=b""))
    done = run("info", path)
    assert done.returncode == 0
    assert done.err.startswith("genomevedic: note: ") and done.err.count("\n") == 1
    assert "end block" in done.err
    assert "the end block is missing" in done.out


# --- plot ---------------------------------------------------------------------------------------


@pytest.fixture
def needs_matplotlib():
    return pytest.importorskip("matplotlib")


def test_plot_writes_a_picture(needs_matplotlib, tmp_path):
    from matplotlib.image import imread

    output = tmp_path / "sample.png"
    done = run("plot", SAMPLE, "-o", output)
    assert (done.returncode, done.err) == (0, "")
    assert done.out == f"{output}\n"
    picture = imread(output)
    height, width, _ = picture.shape
    assert width > 800 and height > 400
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 500


def test_plot_of_standard_input_in_another_layout_and_format(needs_matplotlib, tmp_path):
    output = tmp_path / "out.svg"
    arguments = ("plot", "-", "--layout", "spiral", "--min-quality", "30", "-o", output)
    done = run(*arguments, stdin=SAMPLE.read_bytes())
    assert (done.returncode, done.err) == (0, "")
    assert output.read_text(encoding="utf-8").lstrip().startswith("<?xml")


def test_plot_says_how_many_reads_it_left_out(needs_matplotlib, tmp_path, monkeypatch):
    from genomevedic import cli, plot

    figure = plot.new_figure()
    monkeypatch.setattr(plot, "new_figure", lambda: figure)
    status = cli.main(["plot", str(SAMPLE), "--min-quality", "30", "-o", str(tmp_path / "a.png")])
    assert status == 0
    kept = len(gv.read_fastq(SAMPLE, min_quality=30))
    assert figure.get_suptitle() == (
        f"flowcell_sample.fastq.gz: {kept:,} reads, {7040 - kept:,} below Q30 left out"
    )
    assert 6000 < kept < 7000


def test_plot_of_many_reads_speaks_of_options_of_the_command(needs_matplotlib, tmp_path):
    done = run("plot", SAMPLE, "-o", tmp_path / "a.png", "--max-points", "100")
    assert done.returncode == 0
    assert done.err == (
        "genomevedic: note: More than 100 reads: each cell shows the mean of the reads in it. "
        "Give --max-points to draw more points.\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        b"a$b$c_{2}.fastq",
        b"a\nb.fastq",
        b"\xff\x1b[31m.fastq",
        b"$\\frac{$.fastq",
        "😀é.fastq".encode(),
    ],
)
def test_plot_of_files_with_odd_names(needs_matplotlib, tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(plain_sample(30))
    for output in ("a.png", "a.svg"):
        done = run("plot", path, "-o", tmp_path / output)
        assert (done.returncode, done.err) == (0, ""), done.err
    assert (tmp_path / "a.svg").stat().st_size > 1000


def test_the_title_shows_the_name_as_it_is(needs_matplotlib, tmp_path, monkeypatch):
    from genomevedic import cli, plot

    figure = plot.new_figure()
    monkeypatch.setattr(plot, "new_figure", lambda: figure)
    path = tmp_path / "a$b$\n.fastq"
    path.write_bytes(plain_sample(1))
    assert cli.main(["plot", str(path), "-o", str(tmp_path / "a.png")]) == 0
    assert figure.get_suptitle() == r"a\$b\$\n.fastq: 1 read"


KINDS = {
    "overview": ("--color", "quality"),
    "scatter": ("--color", "length", "--layout", "composition"),
    "density": ("--color", "gc", "--layout", "composition"),
    "hist": ("--color", "gc"),
    "flowcell": ("--color", "deviation"),
    "gc-quality": (),
    "gc_quality": (),
    "length-quality": ("--min-quality", "20"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_plot_draws_each_kind(needs_matplotlib, tmp_path, monkeypatch, kind):
    from genomevedic import cli, plot

    figure = plot.new_figure()
    monkeypatch.setattr(plot, "new_figure", lambda: figure)
    output = tmp_path / "a.png"
    arguments = ["plot", str(SAMPLE), "--kind", kind, *KINDS[kind], "-o", str(output)]
    with warnings.catch_warnings():
        assert cli.main(arguments) == 0
    assert output.stat().st_size > 5000
    assert figure.get_suptitle().startswith("flowcell_sample.fastq.gz: ")
    labels = [ax.get_ylabel() for ax in figure.axes] + [ax.get_xlabel() for ax in figure.axes]
    shown = {
        "overview": "Mean quality (Phred)",
        "scatter": "Length (bases)",
        "density": "GC content",
        "hist": "GC content",
        "flowcell": "Mean quality less that of all reads (Phred)",
        "gc-quality": "Reads per cell",
        "gc_quality": "Reads per cell",
        "length-quality": "Length (bases)",
    }
    assert shown[kind] in labels


def test_plot_draws_a_nanopore_run_and_cycles(needs_matplotlib, tmp_path):
    (tmp_path / "run.fastq").write_bytes(runs.nanopore([1, 2, 2, 300]))
    for arguments in (
        (tmp_path / "run.fastq", "--kind", "nanopore"),
        (SAMPLE, "--kind", "flowcell", "--cycles", "25", "--color", "gc"),
    ):
        done = run("plot", *arguments, "-o", tmp_path / "a.svg")
        assert (done.returncode, done.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--kind", "gc-quality", "--color", "gc"), "--color does not go with --kind gc-quality."),
        (("--cycles", "5"), "--cycles does not go with --kind overview."),
        (("--kind", "hist", "--color", "gcc"), "--color: --kind hist has no 'gcc' to show."),
        (("--kind", "hist", "--color", "count"), "--color: --kind hist has no 'count' to show."),
        (("--color", "deviation"), "--color: --kind overview has no 'deviation' to show."),
        (("--kind", "density", "--max-points", "5"), "--max-points does not go with"),
        (("--kind", "flowcell", "--layout", "spiral"), "draws the layout flowcell, not spiral."),
        (("--kind", "hist", "--color", "name"), "does not hold one number a read"),
    ],
)
def test_plot_refuses_what_makes_no_sense(needs_matplotlib, tmp_path, arguments, message):
    done = run("plot", SAMPLE, *arguments, "-o", tmp_path / "a.png")
    assert done.returncode == 1
    assert message in done.err and done.err.count("\n") == 1
    assert not (tmp_path / "a.png").exists()


def test_plot_writes_a_page(needs_matplotlib, tmp_path, monkeypatch):
    from genomevedic import cli

    asked = {}

    def to_html(particles, path, **options):
        asked.update(options, reads=len(particles), columns=particles.columns)
        path.write_text("<!doctype html>")

    monkeypatch.setitem(sys.modules, "genomevedic.web", SimpleNamespace(to_html=to_html))
    page = tmp_path / "a.html"
    arguments = ["plot", str(SAMPLE), "--color", "tile", "--max-points", "9", "-o", str(page)]
    assert cli.main(arguments) == 0
    assert page.exists()
    assert asked.pop("columns")[-1] == "tile"
    assert asked == {
        "reads": 7040,
        "color": "tile",
        "title": "flowcell_sample.fastq.gz: 7,040 reads",
        "max_points": 9,
        "rng": 0,
    }
    done = run("plot", SAMPLE, "--kind", "hist", "-o", page)
    assert done.returncode == 1
    assert "A page shows the reads as points" in done.err


def test_plot_without_matplotlib_names_the_extra(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None;"
        "from genomevedic.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "plot", str(SAMPLE), "-o", str(tmp_path / "a.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1
    assert done.stderr == (
        'genomevedic: Drawing needs Matplotlib; install it with: pip install "genomevedic[plot]"\n'
    )


# --- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["info", "plot"])
def test_a_missing_file(tmp_path, command):
    missing = tmp_path / "missing.fastq"
    more = ["-o", tmp_path / "a.png"] if command == "plot" else []
    assert "missing.fastq" in failed(run(command, missing, *more))
    assert not (tmp_path / "a.png").exists()


def test_a_fault_in_the_file_is_one_sentence_with_its_place(tmp_path):
    path = tmp_path / "cut.fastq"
    path.write_bytes(plain_sample(3000) + b"@last\nACGT\n+\nII\n")
    sentence = failed(run("info", path))
    assert "cut.fastq" in sentence
    assert "12004" in sentence.replace(",", "")


def test_a_fault_among_the_first_reads():
    failed(run("info", "-", stdin=b"@r\nACGT\nACGT\n"))


def test_a_sentence_holds_nothing_that_a_terminal_would_act_on(tmp_path):
    sentence = failed(run("info", tmp_path / "\x1b[31mred"))
    assert "\x1b" not in sentence
    assert "\\x1b[31mred" in sentence


def test_a_damaged_gzip_file(tmp_path):
    path = tmp_path / "cut.fastq.gz"
    path.write_bytes(SAMPLE.read_bytes()[:-1000])
    failed(run("info", path))


def test_a_record_that_is_too_long_names_the_option(tmp_path):
    path = tmp_path / "long.fastq"
    path.write_bytes(b"@r\n" + b"A" * 4000 + b"\n+\n" + b"I" * 4000 + b"\n")
    sentence = failed(run("info", path, "--max-record-bytes", "1 KiB"))
    assert "longer than --max-record-bytes (1024)" in sentence
    assert "max_record_bytes" not in sentence
    assert run("info", path, "--max-record-bytes", "10 kB").returncode == 0


def test_a_folder_is_no_input(tmp_path):
    failed(run("info", tmp_path))


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("a.picture", "no picture format"),
        ("a", "no picture format"),
        ("no/a.png", "does not exist"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_first(
    needs_matplotlib, tmp_path, output, words
):
    # The input does not exist, so a sentence about the output was said before it was looked at.
    assert words in failed(run("plot", tmp_path / "missing.fastq", "-o", tmp_path / output))


def test_a_layout_that_does_not_exist(needs_matplotlib, tmp_path):
    done = run("plot", SAMPLE, "--layout", "nowhere", "-o", tmp_path / "a.png")
    assert "nowhere" in failed(done)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("info",),
        ("plot", SAMPLE),
        ("info", SAMPLE, "--reads", "0"),
        ("info", SAMPLE, "--reads", "many"),
        ("info", SAMPLE, "--reads", "2.5"),
        ("info", SAMPLE, "--encoding", "solexa"),
        ("info", SAMPLE, "--max-record-bytes", "long"),
        ("plot", SAMPLE, "-o", "a.png", "--min-quality", "nan"),
        ("plot", SAMPLE, "-o", "a.png", "--min-quality", "high"),
        ("plot", SAMPLE, "-o", "a.png", "--max-points", "0"),
    ],
)
def test_a_command_that_is_not_understood(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.err.startswith("usage: genomevedic")
    assert "_positive" not in done.err and "invalid _" not in done.err
    assert "Traceback" not in done.err


def test_version_and_help():
    assert run("--version").out == f"genomevedic {gv.__version__}\n"
    done = run("--help")
    assert done.returncode == 0
    assert "info" in done.out and "plot" in done.out
    assert f"(default: {gv.plot.MAX_POINTS})" in run("plot", "--help").out
    assert "1 GiB" in run("info", "--help").out and gv.DEFAULT_MAX_RECORD_BYTES == 2**30


# --- signals, pipes and terminals ---------------------------------------------------------------


def start(*arguments, **options):
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options = streams | {"preexec_fn": restore_control_c} | options
    return subprocess.Popen([*COMMAND, *map(str, arguments)], **options)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("how", ["standard input", "named pipe"])
@pytest.mark.parametrize("wait", [0.0, 0.5])
def test_ctrl_c_stops_at_once(tmp_path, how, wait):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    process = start("info", "-" if how == "standard input" else path)
    with process, path.open("wb") if how == "named pipe" else process.stdin as writer:
        # More than a pipe holds: once it is written, the other side is reading.
        writer.write(plain_sample(40_000))
        writer.flush()
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == b""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_while_modules_are_imported(tmp_path):
    """What the commands need beyond the reading is imported where Ctrl-C is looked after."""
    code = (
        "import sys; from genomevedic.cli import main\n"
        "class Stops:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'genomevedic.peek': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stops())\n"
        "sys.exit(main(['info', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", code, str(SAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode, done.stderr) == (130, "")


def test_a_reader_of_the_output_that_goes_away():
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [*COMMAND, "info", str(SAMPLE)],
            stdout=write_end,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT,
        )
    finally:
        os.close(write_end)
    assert done.returncode == 141
    assert done.stderr == b""


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_progress_is_shown_to_a_terminal_only(tmp_path):
    pytest.importorskip("tqdm")
    pty = pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    path = tmp_path / "reads.fastq"
    path.write_bytes(plain_sample(20_000))
    assert run("info", path).err == ""

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 100))
    try:
        process = start("info", path, stderr=theirs, stdin=subprocess.DEVNULL)
        output = process.communicate(timeout=TIMEOUT)[0]
        os.set_blocking(ours, False)
        shown = os.read(ours, 100_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 0
    assert "20,000" in output.decode()
    assert "%" in shown and "B" in shown


# --- view ---------------------------------------------------------------------------------------


def without_screen():
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return {name: value for name, value in os.environ.items() if name not in hidden}


def test_view_writes_and_names_a_page_where_there_is_no_screen(tmp_path):
    pytest.importorskip("k3d")
    done = run("view", SAMPLE, "--layout", "composition", cwd=tmp_path, env=without_screen())
    assert (done.returncode, done.out) == (0, "flowcell_sample.html\n")
    assert done.err.count("\n") == 1
    assert "A web page is written instead." in done.err
    assert "RENDER_CONTEXT: napari" in done.err or "napari is not installed" in done.err
    page = (tmp_path / "flowcell_sample.html").read_text("utf-8")
    assert "<h1>flowcell_sample.fastq.gz: 7,040 reads</h1>" in page
    assert "12 have no place in this layout." in page


def test_view_writes_the_page_that_is_asked_for(tmp_path):
    pytest.importorskip("k3d")
    text = gzip.decompress(SAMPLE.read_bytes())
    page = tmp_path / "page.html"
    done = run("view", "-", "-o", page, "--max-points", 50, "--layout", "spiral", stdin=text)
    assert (done.returncode, done.out) == (0, f"{page}\n")
    assert done.err == "genomevedic: note: 50 of 7,040 reads are shown, chosen at random.\n"
    assert "50 of 7,040 reads are shown, chosen at random." in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("page", "said"), [("page.png", "must be .html"), ("none/page.html", "does not exist")]
)
def test_view_looks_at_where_the_page_goes_first(page, said, tmp_path):
    sentence = failed(run("view", tmp_path / "missing.fastq", "-o", tmp_path / page))
    assert said in sentence


def test_view_opens_napari_where_there_is_a_screen(tmp_path):
    if importlib.util.find_spec("napari") is None:
        pytest.skip("napari is not installed")
    code = (
        "import sys, napari\n"
        "from genomevedic.cli import main\n"
        "def run():\n"
        "    viewer = napari.current_viewer()\n"
        "    counts = [len(each.data) for each in viewer.layers]\n"
        "    print(viewer.title, viewer.dims.ndisplay, counts)\n"
        "napari.run = run\n"
        "sys.exit(main(['view', sys.argv[1]]))\n"
    )
    with screen() as environment:
        if not opens_windows(environment):
            pytest.skip("Qt opens no window here")
        done = subprocess.run(
            [sys.executable, "-c", code, str(SAMPLE)],
            env=environment | {"NAPARI_CONFIG": str(tmp_path / "settings.yaml")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "flowcell_sample.fastq.gz: 7,040 reads 3 [7040]\n"
    assert list(tmp_path.glob("*.html")) == []
