"""labswarm.chef.server: how it reads a Chef Server's answers, and the requests that it refuses."""

import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from labswarm.chef.server import ChefServer
from labswarm.errors import BadInput, LabswarmError, Permanent, Transient
from labswarm_lab.chef.ca import Authority
from labswarm_lab.chef.keys import KeySigner, write_private


@dataclass
class Canned:
    """A TLS server that answers every request the same, and keeps what was asked."""

    status: int = 200
    body: bytes = b"{}"
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    ca_pem: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(f"{handler.command} {handler.path}")
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if self.silent:
            self.released.wait(10)
        handler.send_response(self.status)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.send_header("Location", "https://127.0.0.1:1/elsewhere")
        handler.end_headers()
        handler.wfile.write(self.body)


@pytest.fixture(scope="session")
def signer() -> KeySigner:
    return KeySigner.generate()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def tls(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """The server's side of TLS at 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    certificate = authority.issue("127.0.0.1")
    (folder / "server.pem").write_bytes(certificate.pem)
    write_private(folder / "server.key", certificate.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


@pytest.fixture
def canned(authority: Authority, tls: ssl.SSLContext) -> Iterator[Canned]:
    canned = Canned()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            canned.answer(self)

        do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing: the test knows what it asks."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        canned.url = f"https://127.0.0.1:{server.server_address[1]}"
        canned.ca_pem = authority.pem
        yield canned
        canned.released.set()
        server.shutdown()


@pytest.fixture
def chef(canned: Canned, signer: KeySigner) -> ChefServer:
    return ChefServer(canned.url, "labs", "labswarm", signer, canned.ca_pem)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, Transient),
        (502, Transient),
        (503, Transient),
        (429, Transient),
        (408, Transient),
        (400, Permanent),
        (401, Permanent),
        (403, Permanent),
        (413, Permanent),
        (302, Permanent),
    ],
)
def test_a_refusal_is_of_exactly_one_kind_and_says_status_and_request(
    canned: Canned, chef: ChefServer, signer: KeySigner, status: int, kind: type[LabswarmError]
) -> None:
    """Exactly: Lambda reports the class's name, which the state machines match."""
    canned.status = status

    with pytest.raises(kind, match=f"{status}") as refused:
        chef.create_client("lab-i-1", signer.public_pem)

    assert type(refused.value) is kind
    assert "/clients" in str(refused.value)
    assert "KEY" not in str(refused.value)
    assert canned.asked == ["POST /organizations/labs/clients"], "asked once, and not redirected"


def test_an_answer_that_is_no_json_is_no_success(canned: Canned, chef: ChefServer) -> None:
    canned.body = b""

    with pytest.raises(Permanent, match="no JSON"):
        chef.list_nodes()


def test_a_404_that_is_not_the_chef_servers_is_not_taken_for_deleted(
    canned: Canned, chef: ChefServer
) -> None:
    canned.status, canned.body = 404, b"<html>nginx</html>"

    with pytest.raises(Permanent, match="base URL"):
        chef.delete_node("lab-i-1")


def test_a_404_of_the_chef_server_means_deleted(canned: Canned, chef: ChefServer) -> None:
    canned.status, canned.body = 404, b'{"error": ["not found"]}'

    chef.delete_client("lab-i-1")
    chef.delete_node("lab-i-1")

    assert canned.asked == [
        "DELETE /organizations/labs/clients/lab-i-1",
        "DELETE /organizations/labs/nodes/lab-i-1",
    ]


def test_a_server_that_never_answers_is_transient(canned: Canned, signer: KeySigner) -> None:
    canned.silent = True
    chef = ChefServer(canned.url, None, "labswarm", signer, canned.ca_pem, timeout_s=0.2)

    with pytest.raises(Transient, match="timed out"):
        chef.list_nodes()


def test_a_port_where_nothing_listens_is_transient(signer: KeySigner) -> None:
    chef = ChefServer("https://127.0.0.1:1", None, "labswarm", signer)

    with pytest.raises(Transient, match="does not answer"):
        chef.list_clients()


def test_the_systems_authorities_do_not_vouch_for_the_labs(
    canned: Canned, signer: KeySigner
) -> None:
    chef = ChefServer(canned.url, None, "labswarm", signer, ca_pem=None)

    with pytest.raises(Transient, match="not trusted"):
        chef.list_nodes()
    assert canned.asked == []


@pytest.mark.parametrize("name", ["", "a/b", "../clients", "..", ".", "a b", "a?b", "é", "a" * 256])
def test_a_name_that_could_be_another_path_is_never_sent(
    canned: Canned, chef: ChefServer, signer: KeySigner, name: str
) -> None:
    for act in (chef.delete_client, chef.delete_node, chef.get_node):
        with pytest.raises(BadInput, match="name: "):
            act(name)
    with pytest.raises(BadInput, match="name: "):
        chef.create_client(name, signer.public_pem)
    assert canned.asked == []


@pytest.mark.parametrize(
    ("url", "organization", "ca_pem", "field"),
    [
        ("http://127.0.0.1", None, None, "url"),
        ("127.0.0.1:443", None, None, "url"),
        ("https://", None, None, "url"),
        ("https://127.0.0.1", "a/b", None, "organization"),
        ("https://127.0.0.1", None, "no certificate", "ca_pem"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    signer: KeySigner, url: str, organization: str | None, ca_pem: str | None, field: str
) -> None:
    with pytest.raises(BadInput, match=f"^{field}: "):
        ChefServer(url, organization, "labswarm", signer, ca_pem)


def test_nothing_that_the_control_plane_can_do_makes_or_changes_a_node(
    canned: Canned, chef: ChefServer, signer: KeySigner
) -> None:
    """A node that its own client did not make refuses that client, hence the rule."""
    acts: dict[str, Callable[[], object]] = {
        "create_client": lambda: chef.create_client("lab-i-1", signer.public_pem),
        "delete_client": lambda: chef.delete_client("lab-i-1"),
        "delete_node": lambda: chef.delete_node("lab-i-1"),
        "list_clients": chef.list_clients,
        "list_nodes": chef.list_nodes,
        "get_node": lambda: chef.get_node("lab-i-1"),
    }
    assert set(acts) == {name for name in vars(ChefServer) if not name.startswith("_")}

    for act in acts.values():
        act()

    assert {asked.split()[0] for asked in canned.asked if "/nodes" in asked} == {"GET", "DELETE"}
