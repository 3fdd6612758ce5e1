"""README and docs say what happens: their sessions, crontab and pipeline are run as they stand there."""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pages import PAGES, ROOT, blocks, with_blocks
from sispy.cli.exits import Exit
from sispy.cli.root import COMMANDS
from sispy.sandbox import Sandbox

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SERVER = "https://sis.example.com"


@pytest.fixture
def shell(tmp_path):
    """Run shell commands in an empty folder, logged in to a sandbox that answers as the README's server."""
    with Sandbox(samples=200) as sis:
        env = {
            "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SIS_URL": sis.url,
            "SIS_TOKEN": sis.token,
            "SIS_USER": sis.user,
        }

        def address(url: str) -> str:
            return url.partition("://")[2]

        def run(command: str) -> tuple[int, str]:
            done = subprocess.run(
                ["bash", "-c", command.replace(SERVER, sis.url)],
                cwd=tmp_path,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            said = done.stdout.replace(sis.url, SERVER).replace(address(sis.url), address(SERVER))
            return done.returncode, said

        yield run


@pytest.mark.parametrize("page", with_blocks("pycon"))
def test_a_python_session_shows_its_real_output(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    steps = [
        (line, expected)
        for block in blocks(page, "pycon")
        for line, expected in re.findall(r"^>>> (.*)\n((?:(?!>>> ).*\n)*)", block, re.MULTILINE)
    ]
    names: dict[str, object] = {}
    checker = doctest.OutputChecker()

    assert steps
    for line, expected in steps:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(line, page, "single"), names)  # noqa: S102 - our own page
        assert checker.check_output(expected, output.getvalue(), FLAGS), f">>> {line}\n{output.getvalue()}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", with_blocks("console"))
def test_a_shell_session_shows_its_real_output(page, shell):
    steps = [
        (command, expected)
        for block in blocks(page, "console")
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]
    checker = doctest.OutputChecker()

    assert steps
    for command, expected in steps:
        _, output = shell(command)
        assert checker.check_output(expected, output, FLAGS), f"$ {command}\n{output}"


@pytest.mark.timeout(300)
def test_the_crontab_mails_what_has_changed_and_nothing_else(shell):
    (line,) = [
        line for line in blocks("docs/shell.md", "crontab")[0].splitlines() if line.startswith("0 2 * * *")
    ]
    nightly = line.removeprefix("0 2 * * *").replace("cd /srv/cmdb && ", "")

    assert shell("sispy export host -o hosts.csv -q") == (0, "")
    assert shell(nightly) == (0, "")
    edit = (
        "sed 's/,rhel,8,/,rhel,9,/' hosts.csv > edited.csv && sispy push host edited.csv --yes -q > push.txt"
    )
    assert shell(edit) == (0, "")
    status, mail = shell(nightly)
    assert status == 2
    assert re.search(r"^~ +web-ams1-002 +os.version +8 +9$", mail, re.MULTILINE)
    status, mail = shell(f"export SIS_URL=http://127.0.0.1:9; {nightly}")
    assert (status, "cannot connect" in mail) == (6, True)
    assert shell("cmp hosts.csv yesterday.csv") == (0, "")


@pytest.mark.timeout(300)
def test_the_pipeline_pushes_what_was_reviewed_and_only_while_it_is_fresh(shell, tmp_path):
    plan, push = re.findall(r"^    - (sispy .*)$", blocks("docs/shell.md", "yaml")[0], re.MULTILINE)
    shell("sispy export host -o hosts.csv status=live && sed -i 's/,rhel,8,/,rhel,9,/' hosts.csv")

    assert shell(plan)[0] == 0
    assert "| ~ | web-ams1-002 | os.version | 8 | 9 |" in (tmp_path / "plan.md").read_text()
    assert shell(f"export CI_COMMIT_SHORT_SHA=abc123; {push}")[0] == 0
    shell("sed -i 's/,rhel,9,/,rhel,10,/' hosts.csv")
    assert shell(plan)[0] == Exit.CONFLICT  # the push before has changed the same cells
    shell("sed 's/,rhel,10,/,rhel,11,/' hosts.csv > other.csv; sispy push host other.csv --yes")
    status, output = shell(f"export CI_COMMIT_SHORT_SHA=abc123; {push}")
    assert (status, "nothing was pushed: the plan is stale" in output) == (4, True)


def test_every_exit_status_is_in_the_table():
    rows = re.findall(r"^\| (\d+) \| ", PAGES["docs/reference.md"], re.MULTILINE)

    assert sorted(map(int, rows)) == sorted(Exit)


def test_every_command_is_named():
    assert [name for name in COMMANDS if not any(f"sispy {name}" in text for text in PAGES.values())] == []


def test_the_tests_that_are_shown_pass(tmp_path):
    (shown,) = [block for block in blocks("README.md", "python") if "sis_client" in block]
    (tmp_path / "test_shown.py").write_text(shown)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (0, "2 passed")


def test_every_picture_is_there_shown_and_small():
    shown = {
        (ROOT / page).parent / name
        for page, text in PAGES.items()
        for name in re.findall(r"!\[[^\]]+\]\(([\w/]+\.png)\)", text)
    }

    assert shown == {*ROOT.glob("docs/*.png")}
    assert [path.name for path in shown if path.stat().st_size > 120_000] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_pages_leads_somewhere(page):
    for target in re.findall(r"\]\(([^):]+)\)", PAGES[page]):
        name, _, heading = target.partition("#")
        path = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        assert path.exists(), target
        titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE) if heading else []
        anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
        assert not heading or heading in anchors, target
