import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import sispy
from sispy.cli import main
from sispy.config import config_file, read_config
from sispy.sandbox import Sandbox
from sispy_pandas.commands.whoami import VARIABLES

ROOT = Path(__file__).parents[3]
ANNA = {"name": "anna", "email": "anna@example.com", "pw": "anna", "roles": {"ops": "user"}}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as server:
        server.client().users.create(ANNA)
        yield server


@pytest.fixture
def run():
    """Return a function that runs a command and returns status, output and messages."""

    def call(*args, text=""):
        result = CliRunner().invoke(main, list(args), input=text)
        return result.exit_code, result.stdout, result.stderr

    return call


@pytest.fixture
def anna(sandbox, run):
    """Be logged in as anna; return the token."""
    status, _, messages = run("login", sandbox.url, "--user", "anna", "--password-stdin", text="anna\n")
    assert status == 0, messages
    return read_config()["profiles"]["default"]["token"]


def test_login_keeps_the_token_and_never_the_password(sandbox, run):
    status, out, messages = run("login", sandbox.url, "--user", "anna", "--password-stdin", text="anna\n")

    kept = read_config()["profiles"]["default"]
    assert (status, out) == (0, "")
    assert messages.startswith(f"Logged in to {sandbox.url} as anna until 20")
    assert messages.endswith(f": profile 'default' in {config_file()}\n")
    assert sorted(kept) == ["expires", "token", "url", "username"]
    assert kept["token"] not in messages
    assert "password" not in config_file().read_text()
    client = sispy.Client.from_profile()
    assert (client.username, client.auth_token) == ("anna", kept["token"])


def test_login_again_needs_no_address(sandbox, run, anna):
    assert run("login", "--password-stdin", text="anna")[0] == 0
    assert read_config()["profiles"]["default"]["token"] != anna


def test_login_into_a_profile_of_its_own(sandbox, run):
    assert (
        run("login", sandbox.url, "--profile", "lab", "--user", "anna", "--password-stdin", text="anna")[0]
        == 0
    )

    assert list(read_config()["profiles"]) == ["lab"]


def test_login_with_a_wrong_password(sandbox, run):
    status, _, messages = run("login", sandbox.url, "--user", "anna", "--password-stdin", text="wrong")

    assert (status, config_file().exists()) == (7, False)
    assert messages == (
        f"sispy: {sandbox.url} does not let anna in: Invalid password. `sispy login` asks again\n"
    )


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        (
            ["--user", "anna", "--password-stdin"],
            "x",
            "Address of the server? There is no terminal to ask: give URL.",
        ),
        (["URL", "--password-stdin"], "x", "User? There is no terminal to ask: give --user."),
        (
            ["URL", "--user", "anna"],
            "",
            "there is no terminal to ask for the password: give --password-stdin.",
        ),
        (["URL", "--user", "anna", "--password-stdin"], "\n", "the password is empty."),
    ],
)
def test_login_without_a_terminal_says_what_to_give(sandbox, run, arguments, text, message):
    status, _, messages = run(
        "login", *[sandbox.url if item == "URL" else item for item in arguments], text=text
    )

    assert (status, message in messages) == (64, True)


def test_login_asks_in_a_terminal(sandbox, monkeypatch):
    asked = []
    monkeypatch.setattr("sispy.cli.login.is_terminal", lambda stream: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "anna")

    result = CliRunner().invoke(main, ["login"], input=f"{sandbox.url}\nanna\n")

    assert result.exit_code == 0
    assert asked == [f"Password of anna at {sandbox.url}: "]


def test_a_persistent_token_replaces_that_of_the_login(sandbox, run):
    status, _, messages = run(
        "login", sandbox.url, "--user", "anna", "--password-stdin", "--persistent", "nightly", text="anna"
    )

    kept = read_config()["profiles"]["default"]
    token = sispy.Client.from_profile().tokens("anna").get(kept["token"])
    assert (status, token["desc"], "expires" in token, "expires" in kept) == (0, "nightly", False, False)
    assert f"Logged in to {sandbox.url} as anna without end" in messages


def test_a_super_user_is_told_why_there_is_no_persistent_token(sandbox, run):
    status, _, messages = run(
        "login", sandbox.url, "--user", "root", "--password-stdin", "--persistent", "x", text=sandbox.password
    )

    assert (status, config_file().exists()) == (7, False)
    assert "root is a super user, and SIS gives those no persistent tokens" in messages


def test_logout_deletes_the_token_there_and_here(sandbox, run, anna):
    status, _, messages = run("logout")

    assert (status, messages) == (
        0,
        f"Logged out of {sandbox.url}: the token of profile 'default' is deleted.\n",
    )
    assert sorted(read_config()["profiles"]["default"]) == ["url", "username"]
    with pytest.raises(sispy.Unauthorized):
        sispy.Client(sandbox.url, auth_token=anna).entities("x").create({})
    assert run("logout") == (0, "", "Profile 'default' holds no token: nothing to do.\n")


def test_a_token_in_the_environment_is_pointed_at_and_left_alone(sandbox, run, anna, monkeypatch):
    monkeypatch.setenv("SIS_TOKEN", sandbox.token)

    messages = run("login", sandbox.url, "--user", "anna", "--password-stdin", text="anna")[2]
    assert messages.endswith("Note that SIS_TOKEN is set: it wins over the token of the profile.\n")
    assert run("logout")[0] == 0
    assert "token" not in read_config()["profiles"]["default"]
    assert sandbox.client().tokens("root").get(sandbox.token)["username"] == "root"


def test_logout_of_a_token_that_has_ended(sandbox, run, anna):
    sispy.Client(sandbox.url, auth_token=anna).tokens("anna").delete(anna)

    assert run("logout")[0] == 0
    assert "token" not in read_config()["profiles"]["default"]


def test_whoami(sandbox, run, anna):
    status, out, _ = run("whoami")

    where = f"{config_file()}, profile 'default'"
    lines = out.splitlines()
    assert status == 0
    assert lines[1].split() == ["server", sandbox.url, *where.split()]
    assert lines[2].split() == ["user", "anna", *where.split()]
    assert lines[3].startswith("token   valid until 20")
    assert anna not in out


def test_whoami_of_a_token_from_the_environment(sandbox, run, monkeypatch, anna):
    monkeypatch.setenv("SIS_TOKEN", sandbox.token)
    monkeypatch.setenv("SIS_USER", "anna")
    status, out, _ = run("whoami")
    assert (status, [line.split()[1:] for line in out.splitlines()[2:]]) == (
        0,
        [["unknown"], ["not", "of", "anna", "SIS_TOKEN"]],
    )

    monkeypatch.setenv("SIS_USER", "root")
    assert "valid until" in run("whoami")[1]


def test_whoami_lists_the_variables_that_are_set(sandbox, run, monkeypatch):
    monkeypatch.setenv("SIS_URL", sandbox.url)
    monkeypatch.setenv("SIS_TOKEN", sandbox.token)
    monkeypatch.setenv("SIS_USER", "root")
    monkeypatch.setenv("SIS_PASWORD", "s3cret")

    status, out, _ = run("whoami", "--verbose")

    assert (status, sandbox.token in out, "s3cret" in out) == (0, False, False)
    assert [line.split(maxsplit=2) for line in out.splitlines()[5:]] == [
        ["variable", "is", "and says"],
        ["SIS_CONFIG", str(config_file()), "the config file"],
        ["SIS_PASWORD", "***", "nothing; did you mean 'SIS_PASSWORD' or 'SIS_USER'?"],
        ["SIS_TOKEN", "***", "the token"],
        ["SIS_URL", sandbox.url, "the server's address"],
        ["SIS_USER", "root", "the user"],
    ]


def test_a_password_in_the_address_is_not_listed(run, monkeypatch):
    monkeypatch.setenv("SIS_URL", "https://anna:s3cret@sis.example.com")

    assert "s3cret" not in "".join(map(str, run("whoami", "--verbose")))


def test_every_variable_that_is_read_has_its_word():
    texts = [path.read_text(encoding="utf-8") for name in ("sispy", "sispy_pandas") for path in
             (ROOT / name).rglob("*.py")]  # fmt: skip
    read = {name for text in texts for name in re.findall(r"\"(SIS(?:PY)?_[A-Z_]+)\"", text)}

    assert read - {"SISPY_EDIT"} == VARIABLES.keys()  # which one process tells its own child


def test_whoami_of_a_refused_token_says_where_it_comes_from(sandbox, run, monkeypatch, anna):
    sispy.Client(sandbox.url, auth_token=anna).tokens("anna").delete(anna)
    monkeypatch.setenv("SIS_TOKEN", anna)
    monkeypatch.setenv("SIS_USER", "anna")

    status, _, messages = run("whoami")

    said = "the server refuses the token of SIS_TOKEN: correct or unset it; `sispy login` gets another"
    assert (status, messages) == (7, f"sispy: {said}\n")


def test_whoami_of_a_dead_token_and_of_nobody(sandbox, run, anna):
    sispy.Client(sandbox.url, auth_token=anna).tokens("anna").delete(anna)

    status, out, messages = run("whoami")
    assert (status, "refused" in out, "the server refuses the token" in messages) == (7, True, True)
    run("logout")
    status, out, messages = run("whoami")
    assert (status, "none" in out, "nobody is logged in" in messages) == (7, True, True)


def test_whoami_without_a_server(run):
    status, _, messages = run("whoami")

    assert (status, messages) == (
        64,
        "sispy: which server? --url URL or SIS_URL names one, `sispy login URL` remembers one, "
        "`sispy sandbox` starts one to try\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["login", "ftp://x", "--user", "anna", "--password-stdin"], "url is an address such as"),
        (["logout", "--profile", "nope"], "has no profile 'nope' (it has: none)"),
        (["login", "--profile", "nope"], "`sispy login URL --profile nope` makes one"),
        (["whoami", "--profile", "nope"], "has no profile 'nope' (it has: none)"),
        (["whoami", "--url", "sis.example.com"], "url is an address such as"),
    ],
)
def test_a_wrong_address_or_profile_is_wrong_use(run, monkeypatch, arguments, message):
    monkeypatch.setenv("SIS_TOKEN", "t0ken")
    monkeypatch.setenv("SIS_USER", "anna")

    status, out, messages = run(*arguments, text="anna")

    assert (status, out, message in messages, "--help" in messages) == (64, "", True, False)


def test_a_ca_file_is_remembered_with_the_profile(
    run, double, certified, ca_file, wire, monkeypatch, tmp_path
):
    server = double(wire.answer({"name": "t" * 20, "expires": 28_800_000}, status=201), tls=certified)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "company.pem").write_bytes(Path(ca_file).read_bytes())

    refused = run("login", server.url, "--user", "anna", "--password-stdin", text="anna")
    done = run("login", server.url, "--user", "anna", "--password-stdin", "--ca", "company.pem", text="anna")

    assert (refused[0], done[0]) == (6, 0)
    assert "`sispy login --ca FILE`" in refused[2]
    assert read_config()["profiles"]["default"]["ca_file"] == str(tmp_path / "company.pem")
    assert sispy.Client.from_profile().info().to_dict() != {}


@pytest.fixture
def by_command(sandbox, anna, tmp_path):
    """Return a function that has the token printed by a program, which may end with status 3 instead."""

    def write(*, prints=True):
        path = tmp_path / "keyring.py"
        text = f"print({anna!r})" if prints else f"import sys; sys.exit({anna!r} and 3)"
        path.write_text(text, encoding="utf-8")
        lines = ["[profiles.default]", f'url = "{sandbox.url}"', 'username = "anna"']
        lines.append(f"token_command = '''{sys.executable} {path}'''")
        config_file().write_text("\n".join(lines), encoding="utf-8")

    return write


def test_whoami_of_a_token_that_a_command_prints(run, by_command, anna):
    by_command()

    status, out, messages = run("whoami")

    assert (status, messages) == (0, "")
    assert "valid until 20" in out
    assert f"token_command, {config_file()}, profile 'default'" in out
    assert anna not in out


def test_a_command_that_prints_no_token_is_told_by_its_status(run, by_command):
    by_command(prints=False)

    assert run("whoami") == (
        7, "",
        "sispy: profile 'default': its token_command ended with status 3; run it in a terminal to see why\n",
    )  # fmt: skip


def test_login_has_nothing_to_do_where_a_command_prints_the_token(run, by_command):
    by_command()

    assert run("login", "--password-stdin", text="anna") == (
        64, "",
        "sispy: profile 'default' has its token from token_command, so there is no need to log in: "
        "delete that line to log in with a password, or give --profile NAME.\n",
    )  # fmt: skip
