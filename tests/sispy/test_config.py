import os
import stat
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import sispy
from sispy.config import Profile, _environment, config_file, read_config, resolve, update_profile
from sispy.rules import Rules

URL, OTHER = "https://sis.example.com", "https://other.example.com"
ENDED = """
[profiles.default]
url = "{url}"
username = "anna"
token = "t"
expires = 2000-01-01T00:00:00Z
"""
SOON = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def file():
    """Return a function that writes the config file."""

    def write(text):
        path = config_file()
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def stored(file):
    return file(
        f"""
default = "prod"
[profiles.prod]
url = "{URL}"
username = "anna"
token = "file-token"
expires = 2999-01-01T00:00:00Z
ca_file = "/ca.pem"
[profiles.test]
url = "{OTHER}"
"""
    )


def test_a_profile_of_the_file(stored):
    where = f"{stored}, profile 'prod'"

    assert resolve() == Profile(
        name="prod", url=URL, username="anna", token="file-token", expires=SOON, ca_file="/ca.pem",
        sources={"url": where, "username": where, "token": where},
    )  # fmt: skip
    assert resolve().stored
    assert not resolve().expired
    assert "file-token" not in repr(resolve())


def test_nothing_known():
    assert resolve() == Profile(name="default")
    with pytest.raises(ValueError, match="which server") as refused:
        sispy.Client.from_profile()
    assert str(refused.value) == (
        "which server? url= or SIS_URL names one, `sispy login URL` remembers one, "
        "`sispy sandbox` starts one to try"
    )


def test_which_server_names_the_profiles_that_there_are(file):
    file(f'[profiles.sandbox]\nurl = "{OTHER}"\n[profiles.new]\nusername = "anna"\n')

    with pytest.raises(ValueError, match="which server") as refused:
        sispy.Client.from_profile()

    assert str(refused.value) == (
        f"which server? sispy.Client.from_profile('sandbox') is {OTHER}, url= or SIS_URL names one, "
        "`sispy login URL` remembers one"
    )


def test_which_profile(stored, monkeypatch):
    assert resolve("test").url == OTHER
    monkeypatch.setenv("SIS_PROFILE", "test")
    assert resolve().url == OTHER
    assert resolve("prod").url == URL
    monkeypatch.setenv("SIS_URL", "https://third.example.com")
    assert resolve().url == "https://third.example.com"
    assert resolve("prod").url == URL
    with pytest.raises(ValueError, match=r"has no profile 'nope' \(it has: prod, test\)"):
        resolve("nope")
    assert resolve("nope", url="http://x").url == "http://x"


@pytest.mark.parametrize(
    ("arguments", "environment", "user", "token", "password"),
    [
        ({}, {}, "anna", "file-token", None),
        ({"url": URL + "/"}, {}, "anna", "file-token", None),
        ({}, {"SIS_URL": OTHER}, None, None, None),
        ({}, {"SIS_URL": OTHER, "SIS_TOKEN": "t"}, None, "t", None),
        ({}, {"SIS_TOKEN": "t", "SIS_USER": "bob"}, "bob", "t", None),
        ({}, {"SIS_USER": "bob"}, "bob", None, None),
        ({}, {"SIS_USER": "anna"}, "anna", "file-token", None),
        ({}, {"SIS_USER": "bob", "SIS_PASSWORD": "p"}, "bob", None, "p"),
        ({}, {"SIS_PASSWORD": "p"}, "anna", None, "p"),
        ({"auth_token": "a"}, {"SIS_TOKEN": "t", "SIS_USER": "bob"}, "bob", "a", None),
        ({"auth_token": "a", "username": "eve"}, {"SIS_TOKEN": "t", "SIS_USER": "bob"}, "eve", "a", None),
        ({"username": "eve"}, {"SIS_TOKEN": "t", "SIS_USER": "bob"}, "eve", None, None),
        ({"username": "eve", "password": "p"}, {"SIS_TOKEN": "t"}, "eve", None, "p"),
        ({}, {"SIS_TOKEN": "t", "SIS_PASSWORD": "p"}, "anna", "t", None),
        (
            {"name": "prod"},
            {"SIS_URL": OTHER, "SIS_TOKEN": "t", "SIS_USER": "bob"},
            "anna",
            "file-token",
            None,
        ),
        ({"name": "prod", "url": OTHER}, {"SIS_TOKEN": "t", "SIS_USER": "bob"}, "bob", "t", None),
        ({"name": "prod", "username": "eve"}, {"SIS_PASSWORD": "p"}, "eve", None, "p"),
        ({"name": "test"}, {"SIS_URL": URL, "SIS_TOKEN": "t", "SIS_USER": "bob"}, "bob", "t", None),
        ({}, {"SIS_PROFILE": "prod", "SIS_TOKEN": "t", "SIS_USER": "bob"}, "bob", "t", None),
    ],
)
def test_precedence(stored, monkeypatch, arguments, environment, user, token, password):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = resolve(**arguments)

    assert (found.username, found.token, found.password) == (user, token, password)


def test_a_token_from_a_file_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("SIS_URL", URL)
    monkeypatch.setenv("SIS_TOKEN_FILE", str(tmp_path / "secret"))
    with pytest.raises(ValueError, match=r"SIS_TOKEN_FILE: .*No such file"):
        resolve()

    (tmp_path / "secret").write_text("from-file\n")
    assert resolve().token == "from-file"
    assert resolve().sources == {"url": "SIS_URL", "token": "SIS_TOKEN_FILE"}
    monkeypatch.setenv("SIS_TOKEN", "direct")
    assert resolve().token == "direct"


@pytest.mark.parametrize("name", ["SIS_TOKEN", "SIS_TOKEN_FILE"])
def test_a_token_that_is_none_is_named_by_where_it_comes_from(monkeypatch, tmp_path, name):
    (tmp_path / "secret").write_text("t0ken\nt0ken")
    monkeypatch.setenv("SIS_URL", URL)
    monkeypatch.setenv(name, "t0ken\n" if name == "SIS_TOKEN" else str(tmp_path / "secret"))

    with pytest.raises(ValueError, match=r"^SIS_TOKEN.* holds a line end or another") as caught:
        sispy.Client.from_profile()
    assert (str(caught.value).split()[0], "t0ken" in str(caught.value)) == (name, False)


def test_an_address_that_is_none_is_refused_in_our_words(monkeypatch):
    monkeypatch.setenv("SIS_URL", "http://[::1")

    with pytest.raises(ValueError, match=r"^url is an address such as .*, got 'http://\[::1'$"):
        sispy.Client.from_profile()


def test_netrc_comes_last_and_only_for_its_host(stored, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text(
        "machine sis.example.com login bob password b0b\ndefault login eve password ev3\n"
    )

    assert resolve().token == "file-token"
    found = resolve(url=URL + ":8443")
    assert (found.username, found.password) == ("bob", "b0b")
    assert resolve(url=OTHER).password is None
    (tmp_path / "netrc").write_text("machine")
    with pytest.raises(ValueError, match="netrc"):
        resolve()


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_others_who_may_read_the_tokens_are_warned_about(stored):
    stored.chmod(0o640)

    with pytest.warns(UserWarning, match=f"others may read it: chmod 600 {stored}"):
        read_config()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"default = 5", ": default is the name of a profile, in quotes"),
        (b"default = {}", ": default is the name of a profile, in quotes"),
        (b"[profiles.a]\nurl = [1]", ", profile 'a': url is a text, in quotes"),
        (b"[profiles.a]\ntoken = {a = 1}", ", profile 'a': token is a text, in quotes"),
        (b"[profiles.a]\nusername = 5\nca_file = 1", ", profile 'a': username is a text, in quotes"),
        (b"\xff\xfe", ": 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(file, content, words):
    path = file("")
    path.write_bytes(content)

    with pytest.raises(ValueError) as caught:
        resolve()
    assert str(caught.value) == f"{path}{words}"


def test_a_netrc_file_of_another_form_is_named_without_its_words(tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))
    path.write_text("machine sis.example.com login anna\npassword s3cret s3cret\n")

    with pytest.raises(ValueError, match=rf"^{path}: line \d cannot be read$") as caught:
        resolve(url=URL)
    assert caught.value.__cause__ is None


@pytest.mark.skipif(os.name == "nt", reason="no such device")
def test_files_of_secrets_without_end_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("NETRC", "/dev/zero")
    assert resolve(url=URL).password is None
    monkeypatch.setenv("NETRC", str(tmp_path / "large"))
    (tmp_path / "large").write_text("# \n" * 100_000)
    with pytest.raises(ValueError, match="large is too large for a netrc file"):
        resolve(url=URL)
    monkeypatch.setenv("SIS_TOKEN_FILE", "/dev/zero")
    with pytest.raises(ValueError, match="SIS_TOKEN_FILE: /dev/zero holds more than a token"):
        resolve(url=URL)


@pytest.mark.parametrize("variable", ["SIS_TOKEN_FILE", "NETRC"])
def test_a_file_of_secrets_that_is_no_text_is_named(tmp_path, monkeypatch, variable):
    (tmp_path / "f").write_bytes(b"machine \xff\xfe\x00")
    monkeypatch.setenv(variable, str(tmp_path / "f"))

    with pytest.raises(ValueError, match=f"^({variable}|{tmp_path / 'f'}): 'utf-8' codec"):
        resolve(url=URL)


@pytest.mark.parametrize("text", ["url =", "profiles = 5", "[profiles]\nprod = 5"])
def test_a_file_of_another_form_is_refused(file, text):
    path = file(text)

    with pytest.raises(ValueError, match=str(path)):
        resolve()


def test_updates_leave_the_rest_of_the_file_alone(file):
    path = file(
        """# mine
default = "prod"

[profiles.prod] # the real one
url = "https://sis.example.com"  # behind the proxy
token = "old"

[profiles.test]
url = "x"
"""
    )

    update_profile("prod", {"token": 'ne"w\\', "expires": SOON})
    update_profile("lab", {"url": "http://lab"})
    update_profile("test", {"url": None})

    assert path.read_text() == (
        """# mine
default = "prod"

[profiles.prod] # the real one
url = "https://sis.example.com"  # behind the proxy
token = "ne\\"w\\\\"
expires = 2999-01-01T00:00:00+00:00

[profiles.test]

[profiles.lab]
url = "http://lab"
"""
    )
    assert read_config()["profiles"]["prod"]["token"] == 'ne"w\\'
    assert [item.name for item in path.parent.glob("*config*")] == ["config.toml"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_a_new_file_is_its_owners_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("SIS_CONFIG", str(tmp_path / "new" / "deep" / "config.toml"))

    path = update_profile("prod", {"token": "t"})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_a_file_that_somebody_laid_out_does_not_get_the_token(file):
    """A draft of a name that can be told in advance would follow a link, or keep the mode it finds."""
    path = file("")
    trap = path.with_name(f".{path.name}.{os.getpid()}")
    trap.write_text("")
    trap.chmod(0o644)

    update_profile("prod", {"token": "t0ken"})

    assert (trap.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("", 0o600)


def test_what_a_place_says_shows_no_token(monkeypatch):
    monkeypatch.setenv("SIS_TOKEN", "t0ken")
    monkeypatch.setenv("SIS_PASSWORD", "s3cret")

    shown = repr(_environment())

    assert ("t0ken" in shown, "s3cret" in shown) == (False, False)


def test_the_folder_is_the_users(monkeypatch):
    monkeypatch.delenv("SIS_CONFIG")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/xdg")
    assert str(config_file()) == "/xdg/sispy/config.toml"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/anna")
    assert str(config_file()) == "/home/anna/.config/sispy/config.toml"


def test_a_profile_in_another_notation_is_not_doubled(file):
    path = file('[profiles]\nprod = {url = "x"}\n')

    with pytest.raises(ValueError, match="has to stand below a line"):
        update_profile("prod", {"token": "t"})
    assert path.read_text() == '[profiles]\nprod = {url = "x"}\n'


def test_a_link_to_the_file_stays_one(file, tmp_path, monkeypatch):
    path = file("")
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    monkeypatch.setenv("SIS_CONFIG", str(link))

    update_profile("prod", {"token": "t"})

    assert link.is_symlink()
    assert 'token = "t"' in path.read_text()


def test_a_name_that_is_no_key_is_refused():
    with pytest.raises(ValueError, match="letters, digits"):
        update_profile("a.b", {})


def test_from_profile_logs_in_by_password(double, wire, monkeypatch):
    server = double(wire.answer({"name": "new-token", "username": "anna", "expires": 1000}, 201))
    monkeypatch.setenv("SIS_URL", server.url)
    monkeypatch.setenv("SIS_USER", "anna")
    monkeypatch.setenv("SIS_PASSWORD", "secret")

    client = sispy.Client.from_profile(timeout=5)

    assert (client.auth_token, client.username) == ("new-token", "anna")
    assert server.seen[0].headers["authorization"] == "Basic YW5uYTpzZWNyZXQ="


def test_from_profile_with_an_ended_token_and_nobody_to_ask(file, double, monkeypatch):
    server = double()
    file(ENDED.format(url=server.url))
    monkeypatch.setattr("sispy.connection.can_ask", lambda: False)

    with pytest.raises(sispy.Unauthorized, match="has expired: `sispy login` gets a new one"):
        sispy.Client.from_profile()


def test_from_profile_with_an_ended_token_asks_in_a_terminal(file, double, wire, monkeypatch):
    server = double(wire.answer({"name": "new", "username": "anna", "expires": 3_600_000}, 201))
    file(ENDED.format(url=server.url))
    asked = []
    monkeypatch.setattr("sispy.connection.can_ask", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "secret")

    before = datetime.now(UTC).replace(microsecond=0)
    client = sispy.Client.from_profile()

    kept = read_config()["profiles"]["default"]
    assert (client.auth_token, kept["token"]) == ("new", "new")
    assert before <= kept["expires"] - timedelta(hours=1) <= datetime.now(UTC)
    assert asked == [f"Password of anna at {server.url}: "]


def test_a_ca_file_of_the_profile_is_used_unless_something_else_names_one(file, tmp_path, monkeypatch):
    import trustme

    ca = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(ca)
    file(f'[profiles.default]\nurl = "https://x.example.com"\nca_file = "{ca}"\n')

    def trusted(**options: Any) -> object:
        handler: Any = sispy.Client.from_profile(**options)._http_handler
        return handler._direct._trusted

    assert trusted() == str(ca)
    assert trusted(verify=False) is False
    monkeypatch.setenv("SIS_CA_FILE", str(tmp_path))
    assert trusted() == str(tmp_path)


RULED = """
[profiles.prod]
url = "{URL}"
read_only = true
production = true
require_note = "^CHG"
[profiles.duty]
url = "{URL}"
[profiles.test]
url = "{OTHER}"
""".replace("{URL}", URL).replace("{OTHER}", OTHER)


def test_rules_hold_for_the_address_whoever_names_it(file, monkeypatch):
    file(RULED)
    rules = Rules("prod", read_only=True, production=True, require_note="^CHG")

    assert resolve("prod").rules == resolve(url=f"{URL}/").rules == rules
    assert resolve("duty").rules == resolve("test").rules == Rules()
    monkeypatch.setenv("SIS_URL", URL)
    assert resolve().rules == rules
    assert str(rules) == "read-only, production, notes with ^CHG"

    file(f"[profiles.duty]\nurl = '{URL}'\n" + RULED.replace("[profiles.duty]", "[profiles.night]"))
    assert (resolve().rules, resolve("duty").rules) == (rules, Rules())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('read_only = "yes"', "read_only is true or false"),
        ("production = 1", "production is true or false"),
        ("require_note = true", "require_note is a pattern"),
        ('require_note = "["', "require_note is a pattern"),
        ("readonly = true", "there is no 'readonly'; did you mean 'read_only'"),
        ('require-note = "^CHG"', "there is no 'require-note'; did you mean 'require_note'"),
    ],
)
def test_rules_that_are_none_are_named(file, line, said):
    file(f"[profiles.prod]\nurl = '{URL}'\n{line}\n")

    with pytest.raises(ValueError, match=f"profile 'prod': {said}"):
        resolve("prod")


def test_a_rule_outside_of_a_profile_is_named(file):
    file(f"read_only = true\n[profiles.prod]\nurl = '{URL}'\ncontact = 'anna'\n")

    with pytest.raises(ValueError, match="read_only has to stand below a line such as"):
        resolve("prod")
