"""The program of prices, which is no module of the app, and the quantities that it reads."""

import importlib.util
import json
import sys
from types import ModuleType

from tests.support.repository import REPOSITORY

PRICES = REPOSITORY / "terraform-base/prices"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("price", PRICES / "price.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["price"] = module
    spec.loader.exec_module(module)
    return module


price = load()
KNOWN = json.loads((PRICES / "quantities.json").read_text())
