"""Reads a safetensors file of ours with the safetensors package, and writes the same tensors again: the bytes must agree.

safetensors_agreement.py OURS THEIRS
"""
import sys

import numpy
from safetensors import safe_open
from safetensors.numpy import save_file

ours, theirs = sys.argv[1:]
with safe_open(ours, framework="numpy") as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    metadata = file.metadata()
assert metadata == {"format": "pt"}, metadata
assert numpy.array_equal(tensors["single"], numpy.arange(12, dtype=numpy.float32).reshape(3, 4) / 8), tensors["single"]
assert numpy.array_equal(tensors["half"], numpy.array([0, -0.5, 65504, 6e-8], dtype=numpy.float16)), tensors["half"]
assert numpy.array_equal(tensors["small"], numpy.array([[-128, 127]], dtype=numpy.int8)), tensors["small"]
save_file(tensors, theirs, metadata=metadata)
