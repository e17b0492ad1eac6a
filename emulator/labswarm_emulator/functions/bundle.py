"""A function's code and layers as folders: each archive is unzipped once, by its content."""

import io
import shutil
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

from moto.awslambda.models import LambdaFunction, lambda_backends


@dataclass(frozen=True)
class Bundle:
    """A worker's search path; equal bundles have equal code."""

    task_root: Path
    layers: tuple[Path, ...]  # in the order the function names them

    def search_path(self, python: str) -> list[Path]:
        """The folders before the runtime's own, for a runtime such as "python3.13".

        The code comes first, then the layers; a later layer overrides an earlier one.
        https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath
        """
        found = [self.task_root]
        for layer in reversed(self.layers):
            found += [layer / "python" / "lib" / python / "site-packages", layer / "python"]
        return found


class Shelf:
    """The unzipped archives under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def bundle(self, function: LambdaFunction) -> Bundle:
        """The function's code and layers as they are now."""
        backend = lambda_backends[function.account_id][function.region]
        layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in function.layers]
        return Bundle(
            self._unzipped(function.code_bytes, function.code_digest),
            tuple(self._unzipped(layer.code_bytes, layer.code_digest) for layer in layers),
        )

    def _unzipped(self, archive: bytes, digest: str) -> Path:
        folder = self._folder / digest
        with self._lock:
            if not folder.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                # Written under another name and then renamed, so that an emulator killed here
                # leaves no partial bundle.
                half = Path(tempfile.mkdtemp(dir=self._folder, prefix="half-"))
                try:
                    zipfile.ZipFile(io.BytesIO(archive)).extractall(half)
                    half.rename(folder)
                finally:
                    shutil.rmtree(half, ignore_errors=True)
        return folder
