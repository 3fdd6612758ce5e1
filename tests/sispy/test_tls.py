import datetime
import select
import socket
import ssl
import sys
import threading

import pytest

import sispy
from sispy.http import tls

pytestmark = pytest.mark.usefixtures("http_lib")


@pytest.fixture
def server(double, certified):
    return double(tls=certified)


def test_a_certificate_of_nobody_is_refused(server):
    with pytest.raises(sispy.TLSFailed) as caught:
        server.client(auth_token="secret").entities("host").create({})

    assert caught.value.sent is False
    assert caught.value.error.startswith(f"{server.url}: the server's certificate is not trusted (")
    assert caught.value.error.endswith(
        "; name your company's CA file with Client(verify=FILE), the environment variable SIS_CA_FILE, "
        "REQUESTS_CA_BUNDLE or SSL_CERT_FILE, or in the profile: `sispy login --ca FILE`"
    )
    assert server.seen == []


def test_an_address_that_begins_with_http_is_told_of_https(server, http_lib):
    with pytest.raises(sispy.ConnectionLost, match=r"; if it speaks TLS, its address begins with https://$"):
        sispy.Client(server.url.replace("https", "http"), retries=0).info()


def test_a_ca_file_is_trusted(server, ca_file):
    client = server.client(verify=ca_file)

    assert [client.info().to_dict() for _ in range(3)] == [{}, {}, {}]
    assert len({seen.port for seen in server.seen}) == 1


@pytest.mark.parametrize("variable", ["SIS_CA_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_ca_file_of_the_environment_is_trusted(server, ca_file, monkeypatch, variable):
    monkeypatch.setenv(variable, ca_file)

    assert server.client().info().to_dict() == {}


def test_an_argument_wins_over_the_environment_and_sis_ca_file_over_the_others(
    monkeypatch, ca_file, authority, tmp_path
):
    other = str(tmp_path / "other.pem")
    authority.cert_pem.write_to_path(other)
    monkeypatch.setenv("SSL_CERT_FILE", other)
    assert tls.trust(None) == tls.trust(True) == other
    monkeypatch.setenv("SIS_CA_FILE", ca_file)
    assert tls.trust(None) == ca_file
    assert tls.trust(other) == other
    assert tls.trust(False) is False


def test_a_certificate_of_another_host_is_refused(double, authority, ca_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("sis.example.com").configure_cert(context)

    with pytest.raises(sispy.TLSFailed, match="is for another name") as caught:
        double(tls=context).client(verify=ca_file).info()
    assert "CA file" not in caught.value.error


def test_a_certificate_that_is_out_of_date_is_told_apart(double, authority, ca_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    authority.issue_cert("127.0.0.1", not_after=past).configure_cert(context)

    with pytest.raises(sispy.TLSFailed, match="out of date"):
        double(tls=context).client(verify=ca_file).info()


def test_verification_can_be_switched_off(server):
    assert server.client(verify=False).info().to_dict() == {}


def test_a_server_without_tls_is_told_apart():
    def greet():
        sock, _ = listener.accept()
        with sock:
            sock.recv(4096)  # the client's hello
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(sispy.TLSFailed, match="does not speak TLS"):
            sispy.Client(f"https://127.0.0.1:{listener.getsockname()[1]}").info()
        thread.join()


def test_a_file_without_certificates_is_named(monkeypatch, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no certificate")

    with pytest.raises(ValueError, match=r"verify: no CA certificate can be read from .*notes\.txt"):
        sispy.Client("https://127.0.0.1:1", verify=path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(ValueError, match=r"SSL_CERT_FILE: no CA certificate .* from .*notes\.txt"):
        sispy.Client("https://127.0.0.1:1")


def test_a_missing_ca_file_is_named(monkeypatch):
    with pytest.raises(ValueError, match="verify: no such CA file or folder: /nope"):
        sispy.Client("https://x.example.com", verify="/nope")
    monkeypatch.setenv("SIS_CA_FILE", "/nope")
    with pytest.raises(ValueError, match="SIS_CA_FILE: no such CA file or folder: /nope"):
        sispy.Client("https://x.example.com")


def test_the_operating_systems_store_is_the_default(monkeypatch):
    truststore = pytest.importorskip("truststore")
    tls.context.cache_clear()
    assert isinstance(tls.context(True), truststore.SSLContext)

    monkeypatch.setitem(sys.modules, "truststore", None)
    tls.context.cache_clear()
    plain = tls.context(True)
    tls.context.cache_clear()
    assert (type(plain), plain.verify_mode, plain.check_hostname) == (ssl.SSLContext, ssl.CERT_REQUIRED, True)


def test_a_folder_of_certificates_is_read(tmp_path):
    assert tls.context(str(tmp_path)).verify_mode is ssl.CERT_REQUIRED


def test_https_through_a_proxy(double, server, ca_file, monkeypatch, wire):
    """The proxy sees CONNECT and no token; the tunnel leads to the server."""
    tokens = []

    def tunnel(sock):
        with socket.create_connection(("127.0.0.1", server.port)) as far:
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while True:
                for ready in select.select([sock, far], [], [], 5)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return False
                    tokens.append(b"secret-token" in data)
                    (far if ready is sock else sock).sendall(data)

    proxy = double(tunnel)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
    client = server.client(verify=ca_file, auth_token="secret-token")

    assert client.info().to_dict() == {}
    client.close()
    assert (proxy.seen[0].method, proxy.seen[0].target) == ("CONNECT", f"127.0.0.1:{server.port}")
    assert not any(tokens)
    assert server.seen[0].headers["x-auth-token"] == "secret-token"
