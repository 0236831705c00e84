"""Loads an adapter of ours in PEFT and says how its loss differs from the base's on a sentence.

load.py BASE ADAPTER
"""
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
from transformers.utils import logging

logging.set_verbosity_error()
base = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
tokens = torch.arange(5, 69)[None]
with torch.no_grad():
    before = float(base(input_ids=tokens, labels=tokens).loss)
    model = PeftModel.from_pretrained(base, sys.argv[2]).eval()
    after = float(model(input_ids=tokens, labels=tokens).loss)
assert abs(after - before) > 1e-6 and after == after, (before, after)
print(f"loaded in PEFT (loss of an arbitrary row {before:.4f} → {after:.4f})")
