"""llama.cpp's own server (PyPI xllamacpp) over a base model of ours: writes the model as GGUF, as llama.cpp's converter does for models of this
kind, and serves it until the process ends. Usage: llama_server.py BASE FOLDER PORT"""

import json
import pathlib
import sys
import time

import gguf
import numpy
import xllamacpp

base, folder, port = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
config = json.loads((base / "config.json").read_text())
tokenizer = json.loads((base / "tokenizer.json").read_text())
settings = json.loads((base / "tokenizer_config.json").read_text())


def tensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + size + offset for offset in entry["data_offsets"])
        raw = numpy.frombuffer(data[start:end], dtype={"F32": "<f4", "F16": "<f2", "BF16": "<u2"}[entry["dtype"]])
        # The upper half of a float of 32 bits.
        values = (raw.astype(numpy.uint32) << 16).view(numpy.float32) if entry["dtype"] == "BF16" else raw.astype(numpy.float32)
        yield name, values.reshape(entry["shape"])


def turned(weights, heads):
    """llama.cpp rotates pairs of neighbours, where Hugging Face's order has the halves of a head."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)


names = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
heads = {"self_attn.q_proj": config["num_attention_heads"], "self_attn.k_proj": config["num_key_value_heads"]}
path = str(folder / "base.gguf")
writer = gguf.GGUFWriter(path, "llama")
writer.add_context_length(config["max_position_embeddings"])
writer.add_embedding_length(config["hidden_size"])
writer.add_block_count(config["num_hidden_layers"])
writer.add_feed_forward_length(config["intermediate_size"])
writer.add_head_count(config["num_attention_heads"])
writer.add_head_count_kv(config["num_key_value_heads"])
writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
writer.add_rope_freq_base(config["rope_theta"])
writer.add_rope_dimension_count(config["head_dim"])
writer.add_vocab_size(config["vocab_size"])
writer.add_tokenizer_model("gpt2")
# The pattern by which texts are cut is Qwen 2's.
writer.add_tokenizer_pre("qwen2")
special = {token["content"] for token in tokenizer["added_tokens"]}
vocabulary = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
writer.add_token_list(vocabulary)
writer.add_token_types([gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in vocabulary])
writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
writer.add_eos_token_id(config["eos_token_id"])
writer.add_add_bos_token(False)
writer.add_chat_template(settings["chat_template"])
for name, weights in tensors(base / "model.safetensors"):
    if name == "model.embed_tokens.weight":
        writer.add_tensor("token_embd.weight", weights)
    elif name == "model.norm.weight":
        writer.add_tensor("output_norm.weight", weights)
    elif name == "lm_head.weight":
        writer.add_tensor("output.weight", weights)
    else:
        layer, part = name.removeprefix("model.layers.").removesuffix(".weight").split(".", 1)
        writer.add_tensor(f"blk.{layer}.{names[part]}.weight", turned(weights, heads[part]) if part in heads else weights)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

params = xllamacpp.CommonParams()
params.model.path = path
params.model_alias = {"there"}
params.hostnames = ["127.0.0.1"]
params.port = port
params.n_ctx = config["max_position_embeddings"] * 4
params.n_parallel = 4
params.n_gpu_layers = 0
params.cpuparams.n_threads = 1
params.use_jinja = True
server = xllamacpp.Server(params)
print("ready", server.listening_address, flush=True)
while True:
    time.sleep(60)
