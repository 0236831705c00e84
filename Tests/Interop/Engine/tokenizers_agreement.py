"""Trains tokenizers of every supported family with Hugging Face's library and writes what they make of the texts given.

tokenizers_agreement.py FOLDER TEXTS   (TEXTS: a JSON text a line)
Writes FOLDER/<family>.json and FOLDER/<family>.jsonl, a line {"tokens": [...], "text": decoded} for each text.
"""
import json
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

folder, source = sys.argv[1:]
texts = [json.loads(line) for line in open(source, encoding="utf-8")]
sample = texts[:1500]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
byte_level = pre_tokenizers.ByteLevel


def split(pattern):
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), byte_level(add_prefix_space=False, use_regex=False)])


def bytes_family(pre_tokenizer, normalizer=None, ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=3000, special_tokens=["<|end|>", "<|user|>"], initial_alphabet=byte_level.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(sample, trainer)
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False, lstrip=True, rstrip=True), AddedToken("Word", single_word=True)])
    return tokenizer


def sentencepiece(pre_tokenizer, normalizer, decoder):
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=3000, special_tokens=["<unk>", "<s>", "</s>"] + fallback, limit_alphabet=120, max_token_length=12, show_progress=False)
    trained.train_from_iterator(sample, trainer)
    model = json.loads(trained.to_str())["model"]
    model.update(unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    document = json.loads(Tokenizer(models.BPE()).to_str())
    document.update(model=model, normalizer=normalizer, pre_tokenizer=pre_tokenizer, decoder=decoder)
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])
    return tokenizer


def unigram(fallback, pre_tokenizer, decoder, normalizer=None):
    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = ["<unk>", "<s>", "</s>"] + ([f"<0x{byte:02X}>" for byte in range(256)] if fallback else [])
    # Few characters of their own, so that some are unknown.
    common = [text for text in sample if all(ord(c) < 0x250 for c in text)]
    trained.train_from_iterator(common, trainers.UnigramTrainer(
        vocab_size=2000, special_tokens=specials, unk_token="<unk>", show_progress=False))
    model = json.loads(trained.to_str())["model"]
    model.update(byte_fallback=fallback)
    document = json.loads(Tokenizer(models.Unigram()).to_str())
    document.update(model=model, normalizer=normalizer, pre_tokenizer=pre_tokenizer, decoder=decoder)
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))])
    return tokenizer


replace = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
fuse = [{"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
prepend = {"type": "Sequence", "normalizers": [
    {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}


def metaspace(scheme, splits):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": splits}


families = {
    "gpt2": bytes_family(byte_level(add_prefix_space=False)),
    "gpt2-prefix": bytes_family(byte_level(add_prefix_space=True)),
    "smollm": bytes_family(pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level(add_prefix_space=False)])),
    "llama3": bytes_family(split(LLAMA3), ignore_merges=True),
    "qwen2": bytes_family(split(QWEN2), normalizers.NFC()),
    "llama2": sentencepiece(None, prepend, {"type": "Sequence", "decoders": [replace] + fuse}),
    "mistral": sentencepiece(metaspace("first", False), None, {"type": "Sequence", "decoders": [replace] + fuse}),
    "metaspace": sentencepiece(
        metaspace("always", True), None, {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, metaspace("always", True)]}),
    "unigram": unigram(False, metaspace("always", True), metaspace("always", True)),
    "unigram-bytes": unigram(True, metaspace("first", False), {"type": "Sequence", "decoders": [replace] + fuse}, {"type": "NFC"}),
}
families["llama3"].post_processor = processors.Sequence([
    processors.ByteLevel(trim_offsets=True),
    processors.TemplateProcessing(single="<|end|> $A", pair="<|end|> $A <|end|> $B", special_tokens=[("<|end|>", 0)])])
for name, tokenizer in families.items():
    tokenizer.save(f"{folder}/{name}.json")
    with open(f"{folder}/{name}.jsonl", "w", encoding="utf-8") as out:
        for encoding in tokenizer.encode_batch(texts):
            text = tokenizer.decode(encoding.ids, skip_special_tokens=False)
            out.write(json.dumps({"tokens": encoding.ids, "text": text}) + "\n")
