"""What the PEFT runner says that it can do with bitsandbytes and without it, and what it refuses. Takes neither torch nor bitsandbytes.

    features.py FOLDER    the runner's folder, Services/RunnerPEFT
"""

import sys
import types

sys.path.insert(0, sys.argv[1])

import quantised
from protocol import Desk


def missing(name):
    raise ImportError(name)


def broken(_):
    raise OSError("libcudart.so is missing")


def there(name):
    assert name == "bitsandbytes"
    return types.SimpleNamespace(__version__="0.50.2")


def refused(precision, load):
    try:
        quantised.require(precision, load)
    except quantised.Unsupported as error:
        return str(error)
    raise AssertionError(f"{precision} was not refused")


PLAIN, ALL = ["attribution-rows"], ["attribution-rows", "int8", "nf4"]
assert quantised.features(missing) == PLAIN and quantised.features(broken) == PLAIN and quantised.features(there) == ALL
for precision in ("int8", "nf4"):
    for load in (missing, broken):
        text = refused(precision, load)
        assert precision in text and "bitsandbytes" in text and len(text) <= 200, text
    quantised.require(precision, there)
assert "float32, int8, nf4" in refused("int4", there)


class Heard(Desk):
    """Keeps what would be sent."""

    def _json(self, method, path, body=None, key=None, timeout=60):
        self.sent = (path.split("?")[0], body)


# Training hears the same when the runner joins and whenever it asks for work.
for load, wanted in ((missing, PLAIN), (there, ALL)):
    desk = Heard("http://house", lambda: "token", quantised.features(load))
    assert desk.lease(["tiny"], 0, "k") is None
    assert desk.sent[0] == "/v1/runners/leases" and desk.sent[1]["features"] == wanted
    desk.join("peft/1", {"tiny": None})
    assert desk.sent[0] == "/v1/runners" and desk.sent[1]["features"] == wanted
print("ok")
