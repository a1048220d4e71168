"""ResNet-18's own stem and its weights from a file."""

import http.server
import threading

import pytest
import torch
from safetensors.torch import save_file

from fer_pipeline.errors import MissingData
from fer_pipeline.models import resnet18


def test_stem_keeps_small_pictures_large():
    model = resnet18.build(7, pretrained=False)
    assert model.conv1.kernel_size == (3, 3)
    assert model.conv1.stride == (1, 1)
    seen = {}
    model.layer1.register_forward_hook(lambda layer, args, output: seen.update(shape=output.shape))
    model.eval()(torch.zeros(1, 1, 48, 48))
    assert seen["shape"] == (1, 64, 24, 24)


def test_weights_from_a_file_but_for_stem_and_head(tmp_path):
    import timm

    torch.manual_seed(0)
    imagenet = timm.create_model("resnet18", pretrained=False)
    path = tmp_path / "resnet18.safetensors"
    save_file(imagenet.state_dict(), path)
    model = resnet18.build(7, pretrained=str(path))
    found, given = model.state_dict(), imagenet.state_dict()
    for name, value in given.items():
        if not name.startswith(("conv1.", "fc.")):
            assert torch.equal(found[name], value), name
    middle = given["conv1.weight"].sum(dim=1, keepdim=True)[:, :, 2:5, 2:5]
    torch.testing.assert_close(found["conv1.weight"], middle)
    assert found["fc.weight"].shape == (7, 512)


@pytest.fixture
def refusing_proxy(monkeypatch, tmp_path):
    """A proxy on this machine that lets nobody through, and no weights kept from before."""
    import huggingface_hub

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self):
            self.send_error(403, "no way out")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    huggingface_hub.close_session()
    yield
    huggingface_hub.close_session()
    server.shutdown()
    server.server_close()


def test_a_proxy_that_refuses_is_said(refusing_proxy):
    with pytest.raises(MissingData, match="the weights of resnet18 cannot be loaded") as error:
        resnet18.build(7, pretrained=True)
    assert "no way out" in str(error.value)
