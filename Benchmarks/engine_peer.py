#!/usr/bin/env python3
"""What torch, transformers and PEFT do with the model of `benchmarks engine`, on as many threads: LoRA training, and decoding a
batch in which every row has another adapter. Prints `name value` lines; figures are per second of this process's CPU.

    engine_peer.py THREADS [ROWS]     ROWS: JSON with a base model's folder, training and held-out rows, and settings
"""
import json
import pathlib
import sys
import tempfile
import time
import warnings

import numpy
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

warnings.filterwarnings("ignore")
logging.set_verbosity_error()
THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
torch.set_num_threads(THREADS)
torch.manual_seed(1)
ROWS, LENGTH, STEPS, PER_STEP = 64, 128, 8, 8


def lora():
    return LoraConfig(r=8, lora_alpha=16, task_type="CAUSAL_LM", target_modules=[
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])


def fresh(large=False):
    if large:
        return LlamaForCausalLM(LlamaConfig(
            vocab_size=8192, hidden_size=768, intermediate_size=2048, num_hidden_layers=14, num_attention_heads=12,
            num_key_value_heads=12, max_position_embeddings=1024, tie_word_embeddings=True))
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=8192, hidden_size=256, intermediate_size=704, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=1024, tie_word_embeddings=True))


def best(name, count, body, rounds=3):
    figures = []
    for _ in range(rounds):
        start = time.process_time()
        body()
        figures.append(count / (time.process_time() - start))
    print(name, round(max(figures), 1), flush=True)


def train(name="lora_tokens", large=False, steps=STEPS, rounds=3):
    model = get_peft_model(fresh(large), lora())
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-3)
    rows = torch.randint(0, 8192, (ROWS, LENGTH))

    def run():
        for step in range(steps):
            batch = rows[step * PER_STEP:(step + 1) * PER_STEP]
            loss = model(input_ids=batch, labels=batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
            optimizer.step()
            optimizer.zero_grad()

    best(name, steps * PER_STEP * LENGTH, run, rounds)


def decode(batch=32, steps=16):
    model = get_peft_model(fresh(), lora(), adapter_name="a0")
    for index in range(1, batch):
        model.add_adapter(f"a{index}", lora())
    model.eval()
    names = [f"a{index}" for index in range(batch)]

    @torch.no_grad()
    def run():
        output = model(input_ids=torch.randint(0, 8192, (batch, 4)), use_cache=True, adapter_names=names)
        for _ in range(steps):
            token = output.logits[:, -1].argmax(-1, keepdim=True)
            output = model(input_ids=token, past_key_values=output.past_key_values, use_cache=True, adapter_names=names)

    best("mixed_decode_tokens", batch * steps, run)


def sgemm():
    a, b = numpy.random.rand(256, 768).astype("f4"), numpy.random.rand(768, 768).astype("f4")

    def run():
        for _ in range(300):
            a @ b

    best("sgemm_gflops", 300 * 2 * 256 * 768 * 768 / 1e9, run)


def loads(count=20):
    """Adapters read from a folder onto a model, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        model = get_peft_model(fresh(), lora())
        model.save_pretrained(folder)

        def run():
            for index in range(count):
                model.load_adapter(folder, adapter_name=f"l{index}")
                model.delete_adapter(f"l{index}")

        best("adapter_loads", count, run)


def learn(path):
    """The same steps over the same rows from the same base, by the PEFT runner's own loop."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Services/RunnerPEFT"))
    from learning import Base, Learning
    from rows import Row

    told = json.loads(pathlib.Path(path).read_text())
    rows = {part: [Row("i", "o", "d", tokens, 1) for tokens in told[part]] for part in ("training", "holdout")}
    learning = Learning(Base(told["base"], "cpu"), told["settings"], rows["training"], rows["holdout"])
    while learning.step < learning.steps:
        learning.advance()
    learning.evaluate()
    print("held_out_loss_micros", learning.evaluations[-1]["holdout_loss_micros"], flush=True)


sgemm()
train()
train("lora_tokens_105m", large=True, steps=2, rounds=2)
decode()
loads()
if len(sys.argv) > 2:
    learn(sys.argv[2])
