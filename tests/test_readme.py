"""README and docs say what happens: their sessions, crontab and pipeline are run as they stand there."""

import contextlib
import doctest
import http.server
import io
import os
import re
import ssl
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import trustme

import sispy_pandas as sp
from pages import PAGES, ROOT, blocks, rows, section, with_blocks
from sispy.cli.exits import Exit
from sispy.cli.options import JSON_VERSION
from sispy.cli.root import COMMANDS
from sispy.config import resolve
from sispy.rules import Rules
from sispy.sandbox import Sandbox
from sispy_pandas.commands.notebooks import NEEDED
from sispy_pandas.commands.whoami import VARIABLES
from sispy_pandas.formats.registry import FORMATS, find_format
from sispy_pandas.reading import filters
from wire import serving

pytestmark = pytest.mark.slow  # programs, processes and installed packages, as a reader would start them

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SERVER = "https://sis.example.com"


@pytest.fixture
def shell(tmp_path):
    """Run shell commands in an empty folder, logged in to a sandbox that answers as the README's server."""
    with Sandbox(samples=200) as sis:
        (tmp_path / ".venv").symlink_to(Path(sys.prefix))
        env = {
            "HOME": str(tmp_path),
            "PATH": f"{tmp_path}/.venv/bin:{os.environ['PATH']}",
            "SIS_URL": sis.url,
            "SIS_TOKEN": sis.token,
            "SIS_USER": sis.user,
            "PASSWORD": sis.password,
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
        for line, expected in re.findall(
            r"^>>> (.*(?:\n\.\.\. .*)*)\n((?:(?!>>> ).*\n)*)", block, re.MULTILINE
        )
    ]
    names: dict[str, object] = {}
    checker = doctest.OutputChecker()

    assert steps
    for line, expected in steps:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(re.sub(r"^\.\.\. ", "", line, flags=re.MULTILINE) + "\n", page, "single"), names)  # noqa: S102 - our own page
        assert checker.check_output(expected, output.getvalue(), FLAGS), f">>> {line}\n{output.getvalue()}"


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


def code(text: str) -> list[str]:
    return re.findall(r"`(.+?)`", text)


WITHOUT = "python -c 'import sys; sys.modules[\"{}\"] = None; from sispy.cli import main; main()' "
"""The command `sispy` where a package is missing."""
PROVOKED = {
    "which server?": "SIS_URL= sispy schemas",
    "there is no token for ...": "SIS_TOKEN= sispy push host own.csv --key name --yes",
    "the server does not accept the token": "SIS_TOKEN=wrong sispy push host own.csv --key name --yes",
    "the host's name has no address": "sispy schemas --url https://sis.invalid",
    "cannot connect (Connection refused)": "sispy schemas --url http://127.0.0.1:9",
    "through the proxy ... of the environment": "https_proxy=http://127.0.0.1:9 sispy schemas --url https://sis.invalid",
    "the server's certificate is not trusted": "sispy schemas --url $UNTRUSTED",
    'is missing: pip install ".[excel]"': WITHOUT.format("xlsxwriter") + "export host -o hosts.xlsx",
    "has no column _id, so its rows cannot be recognised": "sispy plan host own.csv",
    "was exported from server ..., not from ...": "sispy plan host moved.csv",
    "you have no role in data, which owns the row": "sispy push host data.csv --key name --yes --profile bob",
    "somebody else changed ...": "sispy push host old.csv --yes",
    "There is no terminal to ask: --yes answers yes": "sispy push host own.csv --key name",
    "--expect-updates N says how many rows shall change": "sispy set host name~web --to notes=x --yes",
}
"""Message of the README's table -> what brings it about."""
OF_OTHERS = ["sispy: command not found", "No matching distribution found for pandas"]
"""What shells and pip say."""


@pytest.fixture
def untrusted():
    """Address of a server whose certificate nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as port:
        yield f"https://127.0.0.1:{port}"


def test_the_messages_that_stop_people_are_as_they_stand_there(shell, untrusted):
    told = [
        cell.partition("` ")[0].strip("`")
        for cell, _ in rows(section("README.md", "When a message stops you"))
    ]
    assert sorted(told) == sorted([*PROVOKED, *OF_OTHERS])

    status, output = shell("""
        set -e
        printf 'name,notes\\nweb-fra1-001,moved\\n' > own.csv
        printf 'name,notes\\ndb-ams1-002,moved\\n' > data.csv
        sispy export host -o all.csv -q && sed '/,web-fra1-001,/s/live/retired/' all.csv > old.csv
        cp all.csv.meta.json old.csv.meta.json
        cp all.csv moved.csv && sed s,http://127,http://128, all.csv.meta.json > moved.csv.meta.json
        sispy set host name=web-fra1-001 --to status=maintenance --yes --expect-updates 1
        echo $PASSWORD | SIS_TOKEN= SIS_USER= sispy login $SIS_URL --profile bob --user bob --password-stdin
    """)
    assert status == 0, output
    for message, command in PROVOKED.items():
        _, output = shell(f"UNTRUSTED={untrusted}; {command}")
        parts = map(re.escape, message.split("..."))
        assert re.search(".+".join(parts), output, re.DOTALL), f"{command}\n{output}"


def test_the_tables_of_the_reference_are_complete():
    statuses = [int(status) for status, _ in rows(section("docs/reference.md", "Exit statuses"))]
    assert statuses == [*map(int, Exit)]

    named = {name for cell, *_ in rows(section("docs/reference.md", "File formats")) for name in code(cell)}
    assert {name.removesuffix(".gz") for name in named} == {*FORMATS}
    assert all(find_format(f"hosts{name}") for name in named)
    (others,) = re.findall(r"^Not read: (.*)$", section("docs/reference.md", "File formats"), re.MULTILINE)
    assert {name for name in code(others) if find_format(f"hosts{name}")} == {".xlsx", ".parquet"}

    files = [path for package in ("sispy", "sispy_pandas") for path in (ROOT / package).rglob("*.py")]
    source = "".join(path.read_text("utf-8") for path in files)
    read = {*re.findall(r'"((?:SIS|SISPY|XDG|SSL|REQUESTS)_[A-Z_]+)"', source)}
    table = rows(section("docs/reference.md", "Environment variables"))
    listed = {name.partition("=")[0]: says for cell, says in table for name in code(cell)}
    assert [name for name, says in VARIABLES.items() if not listed[name].startswith(says)] == []
    assert read - listed.keys() == {"SISPY_EDIT"}  # from `sispy edit` to its own page
    assert [name for name in listed if name not in source] == []

    assert f"`version` is {JSON_VERSION}:" in section("docs/reference.md", "JSON")


def test_the_filters_of_the_reference_find_what_it_says():
    """Those in a line with their opposites find all rows together, and none twice."""
    table = rows(section("docs/reference.md", "Filters"))
    assert table == rows(str(filters.__doc__))
    typed = [text for cell, _ in table for text in code(cell)]
    with Sandbox(samples=60) as sis:
        hosts = sis.client().entities("host")
        found = {text: hosts.count(sp.where(hosts, text)) for text in typed if text != "i"}
    pairs = [
        ("status = live", "status != live"),
        ("status in live,planned", "status nin live,planned"),
        ("name ~ ^web", "name !~ ^web"),
        ('name like "^web.*"', 'name not like "^web.*"'),
        ("rack is empty", "rack is not empty"),
    ]
    assert [found[one] + found[other] for one, other in pairs] == [60] * len(pairs)
    assert [one for one, other in pairs if not found[one] or not found[other]] == []


LOGIN = "echo $PASSWORD | sispy login $SIS_URL --user root --password-stdin"
TYPED: dict[str, dict[str, str | None]] = {
    "README.md": {
        ".venv/bin/sispy demo": None,
        ".venv/bin/sispy notebooks my-notebooks": None,
        ".venv/bin/jupyter lab my-notebooks": ".venv/bin/jupyter lab --version",
        "sispy login https://sis.example.com": LOGIN,
        "sispy whoami": None,
    },
    "docs/spreadsheets.md": {
        "source .venv/bin/activate": None,
        "sispy login https://sis.example.com": LOGIN,
    },
}
"""Commands without an output to compare -> what is run for one that would ask, or not end."""


def test_the_commands_to_type_work(shell):
    for page in with_blocks("sh"):
        lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
        typed = [line for line in lines if "pip install" not in line]  # .ci/run does that
        assert typed == [*TYPED[page]]
        for line, instead in TYPED[page].items():
            status, output = shell(instead or line)
            assert status == 0, f"{line}\n{output}"
        for extras in re.findall(r'pip install "?\.\[(.+?)\]', "".join(lines)):
            assert set(extras.split(",")) <= EXTRAS.keys()


def test_what_the_notebooks_need_is_installed():
    assert f".venv/bin/pip install {NEEDED}\n" in PAGES["README.md"]


def test_the_table_of_extras_is_complete():
    named = [name for cell, _ in rows(section("README.md", "Install")) for name in code(cell)]
    assert sorted(named) == sorted(EXTRAS)


def test_the_config_file_that_is_shown_is_one(tmp_path, monkeypatch):
    (block,) = blocks("README.md", "toml")
    (tmp_path / "config.toml").write_text(block)
    monkeypatch.setenv("SIS_CONFIG", str(tmp_path / "config.toml"))
    for name in ("SIS_URL", "SIS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    profile = resolve()
    assert (profile.name, profile.url, profile.ca_file) == ("prod", SERVER, "/etc/ssl/company.pem")
    assert profile.rules == Rules("prod", production=True, require_note="^CHG", read_only=False)


def test_no_block_is_left_out():
    """Each language is run by a test of this file; the keys of JSON by `test_output.py`."""
    languages = {name for text in PAGES.values() for name in re.findall(r"^```(\w+)$", text, re.MULTILINE)}
    assert languages == {"console", "crontab", "pycon", "python", "sh", "text", "toml", "yaml"}


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
