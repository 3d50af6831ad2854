"""Loads from a web server that misbehaves."""

import fcntl
import gzip
import json
import socket
import threading
import time
from contextlib import closing
from dataclasses import replace
from hashlib import sha256

import pytest
from movie_loader import downloads
from movie_loader.downloads import Download
from movie_loader.errors import LoadError, SourceChangedError
from movie_loader.patience import Patience
from movie_testing.dataset_server import Trouble
from movie_testing.tsv import title_row, write_tsv

TITLES = "title.basics.tsv.gz"
RATINGS = "title.ratings.tsv.gz"
PATIENCE = Patience(timeout_seconds=0.5, retries=2, first_wait_seconds=0.02)


@pytest.fixture(autouse=True)
def any_byte_is_progress(monkeypatch):
    monkeypatch.setattr(downloads, "PROGRESS_BYTES", 1)


@pytest.fixture
def big(server):
    """A file of 300 kB that does not pack; its bytes."""
    content = bytes((at * at >> 7) % 251 for at in range(300_000))
    server.put("big", content)
    return content


def fetch(server, folder, name="big", patience=PATIENCE):
    """Download a file as a reader has it: from its first byte to its last."""
    folder.mkdir(exist_ok=True)
    download = Download(server.address + name, folder, patience, lambda _done, _total: None)
    download.start()
    try:
        download.wait_for_answer()
        with closing(download.open()) as reader:
            content = b"".join(iter(lambda: reader.read(10_000), b""))
    finally:
        download.stop()
    return content, download


def test_a_file_comes_whole_and_is_kept_with_what_the_server_said_of_it(server, big, tmp_path):
    content, download = fetch(server, tmp_path)
    assert content == big
    assert (tmp_path / "big").read_bytes() == big
    assert download.version.etag == server.files["big"].etag
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("big")) == [
        "big",
        "big.json",
    ]


def test_a_kept_file_is_asked_for_conditionally(server, big, tmp_path):
    fetch(server, tmp_path)
    content, download = fetch(server, tmp_path)
    assert content == big
    assert download.was_kept
    assert server.statuses_of("big") == [200, 304]
    assert server.headers_of("big")[1]["if-none-match"] == server.files["big"].etag


def test_a_kept_file_without_etag_is_asked_for_by_its_date(server, big, tmp_path):
    server.put("big", big, etag=None)
    fetch(server, tmp_path)
    assert fetch(server, tmp_path)[1].was_kept
    assert server.headers_of("big")[1]["if-modified-since"] == server.files["big"].last_modified


def test_a_kept_file_that_is_outdated_is_replaced(server, big, tmp_path):
    fetch(server, tmp_path)
    server.put("big", b"new")
    assert fetch(server, tmp_path)[0] == b"new"
    assert (tmp_path / "big").read_bytes() == b"new"


def test_a_kept_file_of_another_address_is_none(server, big, tmp_path):
    fetch(server, tmp_path)
    note = tmp_path / "big.json"
    note.write_text(note.read_text().replace(server.address, "http://elsewhere/"))
    assert fetch(server, tmp_path)[0] == big
    assert "if-none-match" not in server.headers_of("big")[1]


def test_a_kept_file_with_a_spoilt_note_is_none(server, big, tmp_path):
    fetch(server, tmp_path)
    (tmp_path / "big.json").write_text("{")
    assert fetch(server, tmp_path)[0] == big
    assert server.statuses_of("big") == [200, 200]


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_download_that_is_cut_off_is_resumed(server, big, tmp_path, tells_length):
    trouble = Trouble(cut_at=100_000)
    server.trouble("big", trouble, replace(trouble, cut_at=50_000))
    assert fetch(server, tmp_path)[0] == big
    assert server.statuses_of("big") == [200, 206, 206]
    assert [headers.get("range") for headers in server.headers_of("big")] == [
        None,
        "bytes=100000-",
        "bytes=150000-",
    ]


def test_a_download_that_stalls_is_resumed(server, big, tmp_path):
    server.trouble("big", Trouble(stall_at=100_000))
    assert fetch(server, tmp_path)[0] == big
    assert server.statuses_of("big") == [200, 206]


def test_what_a_dead_load_left_is_resumed_by_the_next(server, big, tmp_path):
    server.trouble("big", Trouble(cut_at=200_000), *[Trouble(cut_at=0)] * 3)
    with pytest.raises(LoadError):
        fetch(server, tmp_path)
    assert fetch(server, tmp_path)[0] == big
    assert server.headers_of("big")[-1]["range"] == "bytes=200000-"


def test_a_server_without_ranges_sends_the_whole_again_to_the_same_reader(server, big, tmp_path):
    server.files["big"].has_ranges = False
    server.trouble("big", Trouble(cut_at=100_000), Trouble(cut_at=150_000))
    assert fetch(server, tmp_path)[0] == big
    assert server.statuses_of("big") == [200, 200, 200]


def test_a_file_that_is_replaced_midway_voids_what_was_read(server, big, tmp_path):
    server.trouble("big", Trouble(cut_at=100_000), Trouble(before=lambda: server.put("big", big[::-1])))
    with pytest.raises(SourceChangedError, match="was replaced while it was read"):
        fetch(server, tmp_path)
    assert fetch(server, tmp_path)[0] == big[::-1]


def test_a_server_that_continues_with_another_version_is_not_believed(server, big, tmp_path):
    def replaced():
        server.put("big", big[::-1]).heeds_if_range = False

    server.trouble("big", Trouble(cut_at=100_000), Trouble(before=replaced))
    with pytest.raises(SourceChangedError):
        fetch(server, tmp_path)
    assert fetch(server, tmp_path)[0] == big[::-1]


def test_a_file_without_any_validator_is_never_resumed(server, big, tmp_path):
    server.put("big", big, etag=None, modified_at=None)
    server.trouble("big", Trouble(cut_at=100_000))
    with pytest.raises(SourceChangedError):
        fetch(server, tmp_path)
    assert all("range" not in headers for headers in server.headers_of("big"))


def test_a_weak_etag_is_no_reason_to_resume(server, big, tmp_path):
    server.put("big", big, etag='W/"weak"')
    server.trouble("big", Trouble(cut_at=100_000))
    with pytest.raises(SourceChangedError):
        fetch(server, tmp_path)
    assert all("range" not in headers for headers in server.headers_of("big"))


def test_a_part_that_the_server_has_no_more_of_is_given_up(server, big, tmp_path):
    (tmp_path / "big.part").write_bytes(big + b"more")
    note = {"address": f"{server.address}big", "etag": server.files["big"].etag, "last_modified": None}
    (tmp_path / "big.part.json").write_text(json.dumps(note))
    assert fetch(server, tmp_path)[0] == big
    assert server.statuses_of("big") == [416, 200]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_a_server_in_trouble_is_asked_again(server, big, tmp_path, status):
    server.trouble("big", Trouble(status=status), Trouble(status=status))
    assert fetch(server, tmp_path)[0] == big


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_server_that_refuses_is_not_asked_again(server, big, tmp_path, status):
    server.trouble("big", Trouble(status=status))
    with pytest.raises(LoadError, match=str(status)) as caught:
        fetch(server, tmp_path)
    assert not caught.value.is_transient
    assert server.statuses_of("big") == [status]


def test_retries_wait_longer_each_time_and_end(server, big, tmp_path):
    server.trouble("big", Trouble(cut_at=10), *[Trouble(cut_at=0)] * 9)
    began = time.monotonic()
    with pytest.raises(LoadError, match="the download broke off 4 times, last at byte 10") as caught:
        fetch(server, tmp_path, patience=replace(PATIENCE, retries=3))
    assert caught.value.is_transient
    assert time.monotonic() - began >= 0.02 * (1 + 2 + 4)
    assert len(server.requests) == 4


def test_a_download_that_comes_further_each_time_is_not_given_up(server, big, tmp_path):
    server.trouble("big", *[Trouble(cut_at=30_000)] * 9)
    assert fetch(server, tmp_path)[0] == big


def test_a_server_that_never_answers_is_told_in_time(server, big, tmp_path):
    server.trouble("big", *[Trouble(is_silent=True)] * 9)
    began = time.monotonic()
    with pytest.raises(LoadError, match="cannot be reached") as caught:
        fetch(server, tmp_path)
    assert caught.value.code == "source_unreachable"
    assert time.monotonic() - began < 2 * PATIENCE.timeout_seconds + 1


def test_a_name_that_is_looked_up_for_ever_is_told_in_time(server, big, tmp_path, monkeypatch):
    never = threading.Event()

    def look_up(*_args, **_options):
        never.wait(20)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    began = time.monotonic()
    with pytest.raises(LoadError, match="no answer within") as caught:
        fetch(server, tmp_path)
    never.set()
    assert caught.value.code == "source_unreachable"
    assert time.monotonic() - began < 3


def test_a_refused_connection_is_told_in_plain_words(server, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    download = Download(f"{address}big", tmp_path, PATIENCE, lambda _done, _total: None)
    download.start()
    with pytest.raises(LoadError, match="cannot be reached: the connection was refused"):
        download.wait_for_answer()


def test_a_disk_that_can_not_be_written_is_told(server, big, tmp_path):
    (tmp_path / "big.part").mkdir()
    with pytest.raises(LoadError) as caught:
        fetch(server, tmp_path)
    assert caught.value.code == "disk"


def test_a_download_is_read_while_it_still_runs(server, big, tmp_path):
    server.trouble("big", Trouble(stall_at=100_000))
    download = Download(server.address + "big", tmp_path, PATIENCE, lambda _done, _total: None)
    download.start()
    download.wait_for_answer()
    with closing(download.open()) as reader:
        content = b""
        while len(content) < 100_000:
            content += reader.read(50_000)
    assert content == big[:100_000]
    assert not (tmp_path / "big").exists()
    download.stop()


def test_a_download_that_was_stopped_does_not_spoil_the_next_one_of_the_same_file(server, big, tmp_path):
    server.trouble("big", Trouble(stall_at=100_000))
    stopped = Download(server.address + "big", tmp_path, PATIENCE, lambda _done, _total: None)
    stopped.start()
    stopped.wait_for_answer()
    stopped.stop()
    server.put("big", big[::-1])
    assert fetch(server, tmp_path)[0] == big[::-1]
    time.sleep(2 * PATIENCE.timeout_seconds)
    assert (tmp_path / "big").read_bytes() == big[::-1]
    assert not (tmp_path / "big.part").exists()


def test_progress_is_told_in_bytes(server, big, tmp_path):
    told = []
    download = Download(server.address + "big", tmp_path, PATIENCE, lambda *progress: told.append(progress))
    download.start()
    download.wait_for_answer()
    with closing(download.open()) as reader:
        while reader.read(10_000):
            pass
    assert told[0] == (0, len(big))
    assert told[-1] == (len(big), len(big))


# Whole loads.


def test_a_load_from_the_web_is_the_same_as_from_a_folder(loads, server):
    loads.run(server.address)
    (record,) = loads.query("SELECT files FROM dataset_loads")
    assert loads.movies()["tt0000001"]["votes"] == 1000
    for file in record["files"]:
        name = f"{file['name']}.tsv.gz"
        assert file == {
            "name": file["name"],
            "address": server.address + name,
            "bytes": len(server.files[name].content),
            "sha256": sha256(server.files[name].content).hexdigest(),
            "etag": server.files[name].etag,
            "last_modified": server.files[name].last_modified,
            "rows": 1,
        }


def test_a_load_of_a_file_that_is_replaced_midway_begins_anew(loads, server, tmp_path):
    many = [
        title_row(tconst=f"tt{number:07d}", primaryTitle=f"Old {number * number}") for number in range(5000)
    ]
    old = (write_tsv(tmp_path / "old", basics=many) / TITLES).read_bytes()
    server.put(TITLES, old)
    server.trouble(TITLES, Trouble(cut_at=len(old) // 2))
    new = (write_tsv(tmp_path / "new", basics=[title_row(primaryTitle="New")]) / TITLES).read_bytes()
    server.trouble(TITLES, Trouble(before=lambda: server.put(TITLES, new)))
    report = loads.run(server.address)
    assert [movie["title"] for movie in loads.movies().values()] == ["New"]
    assert report.movie_rows == 1


def test_plain_files_are_loaded_where_there_are_no_packed_ones(loads, server):
    for name in (TITLES, RATINGS):
        file = server.files.pop(name)
        server.put(name.removesuffix(".gz"), gzip.decompress(file.content))
    assert loads.run(server.address).movie_rows == 1


@pytest.mark.parametrize("name", [TITLES, RATINGS])
def test_a_404_is_told_with_the_address(loads, server, name):
    del server.files[name]
    with pytest.raises(LoadError, match=f"{server.address}{name}: 404 Not Found"):
        loads.run(server.address)


def test_a_web_page_in_place_of_a_dump_changes_nothing_and_is_not_kept(loads, server, tmp_path):
    loads.run()
    before = loads.snapshot()
    server.put(TITLES, b"<!DOCTYPE html><title>Maintenance</title>")
    with pytest.raises(LoadError, match="is no gzip file; it begins with b'<!DOCTYPE html>"):
        loads.run(server.address)
    assert loads.snapshot() == before
    assert not (tmp_path / "downloads" / TITLES).exists()


@pytest.mark.parametrize(
    "trouble", [Trouble(stall_at=60), Trouble(cut_at=60), Trouble(status=503)], ids=["stall", "cut", "503"]
)
def test_a_source_that_keeps_failing_changes_nothing(loads, server, trouble, monkeypatch):
    monkeypatch.setattr(downloads, "PROGRESS_BYTES", 10**6)
    loads.run()
    before = loads.snapshot()
    server.put(TITLES, server.files[TITLES].content + b"\0" * 1000)
    server.trouble(TITLES, *[trouble] * 20)
    with pytest.raises(LoadError) as caught:
        loads.run(server.address)
    assert caught.value.is_transient
    assert loads.snapshot() == before


def test_a_truncated_file_of_the_server_is_refused_and_not_kept(loads, server, tmp_path):
    good = server.files[TITLES].content
    server.put(TITLES, good[:-10])
    with pytest.raises(LoadError, match="is cut off"):
        loads.run(server.address)
    assert not (tmp_path / "downloads" / TITLES).exists()
    server.put(TITLES, good)
    assert loads.run(server.address).movie_rows == 1


def test_a_kept_file_that_went_bad_is_downloaded_anew(loads, server, tmp_path):
    loads.run(server.address)
    kept = tmp_path / "downloads" / TITLES
    kept.write_bytes(kept.read_bytes()[:-10])
    assert loads.run(server.address).movie_rows == 1
    assert server.statuses_of(TITLES) == [200, 304, 200]


def test_two_loads_do_not_download_into_the_same_folder(loads, server, tmp_path):
    (tmp_path / "downloads").mkdir()
    with (tmp_path / "downloads" / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LoadError, match="another load is downloading into"):
            loads.run(server.address)
