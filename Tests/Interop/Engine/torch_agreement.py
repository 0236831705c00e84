"""Holds what the engine is held against beside the installed torch, transformers and PEFT.

torch_agreement.py FIXTURE               a folder of fixtures/: logits, loss and gradients of model and adapter are the stored ones
torch_agreement.py BASE ADAPTER ROWS     an adapter directory loads in PEFT and gives the losses of ROWS: a JSON list of
                                         {"tokens": […], "from": first token that counts, "base": loss, "adapter": loss}
"""
import json
import sys
import warnings

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
from transformers.utils import logging

warnings.filterwarnings("ignore")
logging.set_verbosity_error()


def open_base(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def loss_of(model, tokens, start):
    logits = model(input_ids=tokens[None]).logits[0].float()
    targets = torch.arange(start, len(tokens))
    return logits, torch.nn.functional.cross_entropy(logits[targets - 1], tokens[targets])


def near(name, found, expected, relative=1e-4):
    difference = float((found - expected).norm() / expected.norm().clamp(min=1e-30))
    # A key's bias has no gradient but for rounding.
    if name.endswith("k_proj.bias"):
        difference = float((found - expected).abs().max())
    assert difference < relative, (name, difference)


def fixture(folder):
    expected = load_file(f"{folder}/expected.safetensors")
    tokens = expected["tokens"].long()
    model = open_base(folder)
    logits, loss = loss_of(model, tokens, 5)
    loss.backward()
    assert float((logits - expected["logits"]).abs().max()) < 1e-4, "logits"
    assert abs(float(loss - expected["loss"][0])) < 1e-5, "loss"
    for name, parameter in model.named_parameters():
        if "gradient." + name in expected:
            near(name, parameter.grad, expected["gradient." + name])
    model.zero_grad()
    adapted = PeftModel.from_pretrained(model, f"{folder}/adapter", is_trainable=True)
    logits, loss = loss_of(adapted, tokens, 5)
    loss.backward()
    assert float((logits - expected["adapter.logits"]).abs().max()) < 1e-4, "the adapter's logits"
    assert abs(float(loss - expected["adapter.loss"][0])) < 1e-5, "the adapter's loss"
    seen = 0
    for name, parameter in adapted.named_parameters():
        if parameter.grad is not None and "lora_" in name:
            short = name.replace("base_model.model.", "", 1).replace(".default.weight", "")
            near(short, parameter.grad, expected["adapter.gradient." + short])
            seen += 1
    assert seen == sum(name.startswith("adapter.gradient.") for name in expected), seen


def adapter(base, folder, rows):
    rows = json.load(open(rows, encoding="utf-8"))
    assert rows
    model = open_base(base)
    with torch.no_grad():
        plain = [float(loss_of(model, torch.tensor(row["tokens"]), row["from"])[1]) for row in rows]
        adapted = PeftModel.from_pretrained(model, folder)
        found = [float(loss_of(adapted, torch.tensor(row["tokens"]), row["from"])[1]) for row in rows]
    for row, without, loss in zip(rows, plain, found):
        assert abs(without - row["base"]) < 1e-4, ("base", without, row["base"])
        assert abs(loss - row["adapter"]) < 1e-4, ("adapter", loss, row["adapter"])
    assert any(abs(a - b) > 1e-3 for a, b in zip(plain, found)), "the adapter changes nothing"


if __name__ == "__main__":
    torch.manual_seed(1)
    if len(sys.argv) == 2:
        fixture(sys.argv[1])
    else:
        adapter(*sys.argv[1:])
