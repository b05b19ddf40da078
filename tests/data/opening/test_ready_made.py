import gzip
import hashlib
import http.server
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vae_explorer.data.bundled import mnist_dataset
from vae_explorer.data.opening import inspect, open_images
from vae_explorer.data.readers import ready_made
from vae_explorer.errors import DataError
from vae_explorer.paths import data_cache

CONTENT = gzip.compress(np.random.default_rng(0).bytes(600_000))
MD5 = hashlib.md5(CONTENT).hexdigest()


def test_digits_come_along() -> None:
    data = open_images("digits")
    assert data.sizes()["both"] == 1797
    assert data.image_shape == (8, 8)
    counts = np.bincount(np.asarray(data.of("both").labels))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert data.of("both").images.max() == 255
    assert np.bincount(np.asarray(data.test.labels)).tolist() == pytest.approx(counts / 7, abs=1)


def test_mnist_is_the_bundled_one() -> None:
    assert open_images("MNIST") is mnist_dataset()
    assert inspect("mnist").counts == mnist_dataset().sizes()


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            span = self.headers.get("Range", "")
            asked.append(span)
            start = int(span[6:-1]) if span else 0
            if start >= len(CONTENT):
                self.send_error(416)
                return
            self.send_response(206 if span else 200)
            self.end_headers()
            self.wfile.write(CONTENT[start:])

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/file", asked
        running.shutdown()
        thread.join()


def test_a_download_goes_on_where_it_was_cut(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    address, asked = server
    target = tmp_path / "a" / "file.gz"
    ticks = []

    class StoppedError(Exception):
        pass

    def stop() -> None:
        ticks.append(1)
        if len(ticks) == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        ready_made.fetch(address, target, MD5, "Mine", stop)
    assert not target.exists()
    ready_made.fetch(address, target, MD5, "Mine", lambda: None)
    assert target.read_bytes() == CONTENT
    assert (asked[0], asked[1]) == ("", "bytes=262144-")
    ready_made.fetch(address, target, MD5, "Mine", stop)  # it is there
    (tmp_path / "b.part").write_bytes(CONTENT)
    ready_made.fetch(address, tmp_path / "b", MD5, "Mine", lambda: None)


def test_another_file_than_published_is_refused(
    tmp_path: Path, server: tuple[str, list[str]]
) -> None:
    with pytest.raises(DataError, match="is not the file that was published"):
        ready_made.fetch(server[0], tmp_path / "f", "0" * 32, "Mine", lambda: None)
    assert not list(tmp_path.iterdir())


def test_without_a_network_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    for name in ("fashion-mnist", "kmnist", "emnist"):
        with pytest.raises(DataError, match="not on this machine yet, .* Network is unreachable"):
            open_images(name)


def put(folder: Path, split: str, count: int, first: int = 0) -> None:
    """A split of the files that its authors published, of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    head = bytes([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28])
    pixels = np.random.default_rng(count).integers(0, 256, (count, 784), np.uint8)
    (folder / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + pixels.tobytes()))
    labels = bytes([0, 0, 8, 1, 0, 0, 0, count, *(n % 10 + first for n in range(count))])
    (folder / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


def test_what_was_put_into_the_folder_is_read() -> None:
    for split, count in (("train", 12), ("t10k", 3)):
        put(data_cache() / "fashion-mnist", split, count)
    data = open_images("Fashion-MNIST")
    assert (data.name, data.classes[9]) == ("Fashion-MNIST", "Ankle boot")


def test_emnist_is_upright_and_its_classes_are_letters() -> None:
    for split, count in (("train", 12), ("test", 3)):
        put(data_cache() / "emnist", f"emnist-letters-{split}", count, first=1)
    data = open_images("emnist")
    assert [data.classes[code] for code in np.asarray(data.test.labels)] == ["a", "b", "c"]
    written = np.random.default_rng(3).integers(0, 256, (3, 784), np.uint8).reshape(3, 28, 28)
    np.testing.assert_array_equal(data.test.images, written.swapaxes(1, 2))
    assert not inspect("emnist").offers
