"""HTTP without any client: requests as bytes, answers as they come; and servers that are no SIS."""

import contextlib
import http.client
import socket
import threading

SCHEMA = {
    "name": "row",
    "_sis": {"owner": ["g1"]},
    "definition": {
        "name": {"type": "String", "required": True, "unique": True},
        "n": "Number",
        "l": ["String"],
    },
}


@contextlib.contextmanager
def serving(server):
    """Let a server of the standard library answer; yield its port."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def raw(sis, method, path, body=None, headers=None):
    """One request without any client: status, headers, body."""
    connection = http.client.HTTPConnection(sis.host, sis.port, timeout=10)
    connection.request(method, f"/api/v1.1{path}", body, {"x-auth-token": sis.token, **(headers or {})})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def talk(sis, request):
    """Send bytes, give all that comes back."""
    with socket.create_connection((sis.host, sis.port), 10) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def post_head(sis, length):
    lines = [
        "POST /api/v1.1/entities/row HTTP/1.1",
        "Host: localhost",
        f"x-auth-token: {sis.token}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
