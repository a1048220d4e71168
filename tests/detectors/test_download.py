"""Fetching over a loopback server: kept once, trusted only by its hash."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from fer_pipeline.detectors._download import cached, folder
from fer_pipeline.errors import MissingData

CONTENT = b"a model" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path, monkeypatch):
    """(address, list of paths asked for); the cache lies in tmp_path."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            found = {"/model.onnx": CONTENT, "/other.onnx": b"another"}.get(self.path)
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_):
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}", asked
    httpd.shutdown()
    httpd.server_close()


def test_fetched_once(server):
    address, asked = server
    first = cached(f"{address}/model.onnx", SHA256, "yunet")
    second = cached(f"{address}/model.onnx", SHA256, "yunet")
    assert first == second
    assert first.read_bytes() == CONTENT
    assert first.parent == folder()
    assert asked == ["/model.onnx"]


def test_a_damaged_copy_is_fetched_anew(server):
    address, asked = server
    path = cached(f"{address}/model.onnx", SHA256, "yunet")
    path.write_bytes(CONTENT[:-1])
    assert cached(f"{address}/model.onnx", SHA256, "yunet").read_bytes() == CONTENT
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("path", "what"), [("/other.onnx", "gives a file with SHA-256"), ("/none.onnx", "404")]
)
def test_another_file_or_none_is_refused(server, path, what):
    address, _ = server
    with pytest.raises(MissingData, match=rf"{what}.*detect\.options\.yunet\.model"):
        cached(address + path, SHA256, "yunet")
    assert not folder().exists()


def test_without_a_server(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingData, match=r"cannot fetch http://127\.0\.0\.1:9/x"):
        cached("http://127.0.0.1:9/x", SHA256, "yunet")
