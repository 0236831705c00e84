"""Makes a base model that learns and answers in moments, in a build without optimisation too: one small layer of random weights, with the
tokenizer and the template of the model that ships with the product."""

import array
import json
import pathlib
import random
import shutil
import struct
import sys

source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
target.mkdir(parents=True)
for file in source.iterdir():
    if file.name.startswith(("tokenizer", "special_tokens", "chat_template")):
        shutil.copy(file, target)
config = json.loads((source / "config.json").read_text())
config.update(
    hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=8, tie_word_embeddings=True)
(target / "config.json").write_text(json.dumps(config))

layer = "model.layers.0."
shapes = {
    "model.embed_tokens.weight": [config["vocab_size"], 16], "model.norm.weight": [16], layer + "input_layernorm.weight": [16],
    layer + "post_attention_layernorm.weight": [16], layer + "self_attn.q_proj.weight": [16, 16], layer + "self_attn.k_proj.weight": [8, 16],
    layer + "self_attn.v_proj.weight": [8, 16], layer + "self_attn.o_proj.weight": [16, 16], layer + "mlp.gate_proj.weight": [32, 16],
    layer + "mlp.up_proj.weight": [32, 16], layer + "mlp.down_proj.weight": [16, 32],
}
random.seed(1)
header, data = {}, b""
for name, shape in shapes.items():
    count = shape[0] * (shape[1] if len(shape) > 1 else 1)
    values = [1.0] * count if len(shape) == 1 else [random.gauss(0, 0.05) for _ in range(count)]
    start = len(data)
    data += array.array("f", values).tobytes()
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
(target / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
