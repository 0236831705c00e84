"""Reads a tokenizer.json of ours with Hugging Face's library; its tokens of the texts must be the ones given.

tokenizer_reading.py TOKENIZER TEXTS TOKENS
"""
import json
import sys

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
texts = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
tokens = json.load(open(sys.argv[3], encoding="utf-8"))
assert len(texts) == len(tokens) > 0
for text, ours in zip(texts, tokens):
    theirs = tokenizer.encode(text).ids
    assert theirs == ours, (text, theirs, ours)
