#!/usr/bin/env python3
"""Makes the fixtures that the engine's numbers are held against: tiny models of every supported variant with seeded random
weights, and what transformers and PEFT compute with them on the CPU.

    pip install torch transformers peft safetensors     (made with torch 2.13.0+cpu, transformers 5.23, peft 0.21)
    Tests/Interop/Engine/make_fixtures.py               writes fixtures/<variant>/ beside this file

Weights are stored as bfloat16 and used as such, so that both sides start from the same numbers.
"""
import copy
import json
import pathlib
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

HERE = pathlib.Path(__file__).parent / "fixtures"
TOKENS, FIRST_TARGET = 19, 5
SIZES = dict(vocab_size=37, hidden_size=20, intermediate_size=27, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=64, initializer_range=0.3, bos_token_id=1, eos_token_id=2,
             pad_token_id=None, rope_theta=10000.0)
VARIANTS = {
    "llama": (LlamaConfig, LlamaForCausalLM, dict(head_dim=6, rms_norm_eps=1e-5), True, None),
    "llama-tied-llama3": (LlamaConfig, LlamaForCausalLM, dict(
        head_dim=8, tie_word_embeddings=True, rms_norm_eps=1e-6,
        rope_scaling=dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                          original_max_position_embeddings=16)), True, None),
    "llama-linear-biases": (LlamaConfig, LlamaForCausalLM, dict(
        attention_bias=True, mlp_bias=True, head_dim=4,
        rope_scaling=dict(rope_type="linear", rope_theta=10000.0, factor=4.0)), False, ["q_proj", "v_proj", "down_proj"]),
    "qwen2-window": (Qwen2Config, Qwen2ForCausalLM, dict(
        hidden_size=24, use_sliding_window=True, sliding_window=6, max_window_layers=1, num_key_value_heads=1), True, None),
    "mistral-window": (MistralConfig, MistralForCausalLM, dict(head_dim=10, sliding_window=7, num_key_value_heads=4), False, None),
}


def loss_of(model, tokens):
    logits = model(input_ids=tokens[None]).logits[0].float()
    targets = torch.arange(FIRST_TARGET, TOKENS)
    return logits, torch.nn.functional.cross_entropy(logits[targets - 1], tokens[targets])


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    for seed, (name, (config_class, model_class, extra, keeps_full, modules)) in enumerate(VARIANTS.items()):
        torch.manual_seed(100 + seed)
        folder = HERE / name
        config = config_class(**{**SIZES, **extra}, attn_implementation="eager")
        model = model_class(config).float().eval()
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if key.endswith("bias"):
                    parameter.copy_(torch.randn_like(parameter) * 0.3)
                if "norm" in key:
                    parameter.copy_(1 + 0.3 * torch.randn_like(parameter))
                parameter.copy_(parameter.bfloat16().float())
        # A copy: turning the model itself would round the rotary frequencies as well.
        copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        tokens = torch.randint(0, config.vocab_size, (TOKENS,))
        expected = {"tokens": tokens.to(torch.int32).float()}
        logits, loss = loss_of(model, tokens)
        loss.backward()
        expected["logits"], expected["loss"] = logits.detach(), loss.detach()[None]
        if keeps_full:
            expected |= {"gradient." + key: p.grad.clone() for key, p in model.named_parameters()}
        model.zero_grad()

        wrapped = get_peft_model(model, LoraConfig(
            r=3, lora_alpha=6, task_type="CAUSAL_LM",
            target_modules=modules or ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
        with torch.no_grad():
            for key, parameter in wrapped.named_parameters():
                if "lora_" in key:
                    parameter.copy_((torch.randn_like(parameter) * 0.2).bfloat16().float())
        wrapped.peft_config["default"].base_model_name_or_path = "fixture"
        wrapped.save_pretrained(folder / "adapter")
        (folder / "adapter" / "README.md").unlink(missing_ok=True)
        logits, loss = loss_of(wrapped, tokens)
        loss.backward()
        expected["adapter.logits"], expected["adapter.loss"] = logits.detach(), loss.detach()[None]
        for key, parameter in wrapped.named_parameters():
            if parameter.grad is not None and "lora_" in key:
                short = key.replace("base_model.model.", "", 1).replace(".default.weight", "")
                expected["adapter.gradient." + short] = parameter.grad.clone()
        save_file({k: v.contiguous() for k, v in expected.items()}, folder / "expected.safetensors")
        print(name, json.dumps({"loss": float(loss), "bytes": sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())}))


if __name__ == "__main__":
    main()
