"""Compares a bundle's root with the one that pymerkle, which is not ours, computes over all entries.

    python verify_pymerkle.py FOLDER
"""

import base64
import pathlib
import sys

from pymerkle import InmemoryTree


def index_path(index):
    parts = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03}")
    return "/".join(parts)


def entries(folder, size):
    for first in range(0, size, 256):
        width = min(256, size - first)
        name = index_path(first // 256) + ("" if width == 256 else f".p/{width}")
        bundle = (folder / "tile" / "entries" / name).read_bytes()
        at = 0
        for _ in range(width):
            length = int.from_bytes(bundle[at : at + 2], "big")
            yield bundle[at + 2 : at + 2 + length]
            at += 2 + length
        if at != len(bundle):
            sys.exit(f"tile/entries/{name} has {len(bundle)} bytes where {at} belong")


def main():
    folder = pathlib.Path(sys.argv[1])
    _, size, root = (folder / "checkpoint").read_text().split("\n")[:3]
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries(folder, int(size)):
        tree.append_entry(entry)
    found = base64.b64encode(tree.get_root()).decode()
    if found != root:
        sys.exit(f"the root over {size} entries is {found}, and the checkpoint says {root}")
    print(f"{size} entries: the root is the checkpoint's")


main()
