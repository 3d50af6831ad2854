import io

from movie_loader.progress import BarMeter, LineMeter, _AmountColumn, meter
from rich.console import Console
from rich.progress import Progress


def test_lines_tell_bytes_rows_rate_and_time_left(capsys):
    told = LineMeter(seconds_between=0)
    told.tell("load title.basics", done_bytes=0, total_bytes=200_000_000)
    told._began_at["load title.basics"] -= 10
    told.tell("load title.basics", done_bytes=50_000_000, total_bytes=200_000_000, rows=3_000_000)
    line = capsys.readouterr().out.splitlines()[-1]
    for fact in (
        "megabytes=50.0",
        "of_megabytes=200.0",
        "megabytes_per_second=5.0",
        "rows=3000000",
        "seconds_left=30",
    ):
        assert fact in line


def test_lines_come_every_few_seconds_only(capsys):
    told = LineMeter(seconds_between=60)
    for done in range(100):
        told.tell("download", done_bytes=done, total_bytes=100)
    assert capsys.readouterr().out == ""


def test_a_size_that_nobody_knows_is_left_out(capsys):
    told = LineMeter(seconds_between=0)
    told.tell("download", done_bytes=0, total_bytes=None)
    told._began_at["download"] -= 10
    told.tell("download", done_bytes=10**6, total_bytes=None)
    line = capsys.readouterr().out
    assert "megabytes=1.0" in line
    assert "of_megabytes" not in line


def test_a_terminal_gets_bars_with_bytes_and_rows():
    console = Console(file=io.StringIO(), force_terminal=True, width=160)
    with meter(console) as shown:
        assert isinstance(shown, BarMeter)
        shown.tell("load title.basics", done_bytes=10**6, total_bytes=2 * 10**6, rows=12_345)
        with shown.waiting("merge"):
            pass
    text = console.file.getvalue()
    assert "1.0 of 2.0 MB" in text
    assert "12,345 rows" in text
    assert "merge" in text


def test_no_bars_are_drawn_elsewhere():
    with meter(Console(file=io.StringIO())) as shown:
        assert isinstance(shown, LineMeter)


def test_a_bar_that_is_full_keeps_its_rate():
    now = [0.0]
    progress = Progress(_AmountColumn(), get_time=lambda: now[0], console=Console(file=io.StringIO()))
    bars = BarMeter(progress)
    bars.tell("download", done_bytes=0, total_bytes=10**7)
    now[0] = 2.0
    bars.tell("download", done_bytes=10**7, total_bytes=10**7)
    now[0] = 200.0
    assert "(5.0 MB/s)" in _AmountColumn().render(progress.tasks[0]).plain
