"""A Datanet's items as rows to learn from: the same tokens, targets and held-out items as the embedded runner's."""

import dataclasses
import hashlib
import re

from tokenizers import Tokenizer

# What ends a turn, as the families of models call it.
ENDS = ["<|end|>", "<|im_end|>", "<|eot_id|>", "</s>", "<|endoftext|>", "<|end_of_text|>"]
# Noncharacters around a special token's text that a person wrote: they keep it from becoming the token.
OPEN, CLOSE = "\ufdd0", "\ufdd1"


@dataclasses.dataclass
class Row:
    """Tokens, of which those from `start` on are learned."""

    item: str
    owner: str
    datanet: str
    tokens: list
    start: int


class Words:
    """A model's tokenizer and chat template, which never read a special token out of what people wrote."""

    def __init__(self, folder, template):
        self.plain = Tokenizer.from_file(f"{folder}/tokenizer.json")
        self.plain.encode_special_tokens = True
        self.reading = Tokenizer.from_file(f"{folder}/tokenizer.json")
        self.template = template
        added = self.reading.get_added_tokens_decoder()
        self.specials = sorted((token.content for token in added.values() if token.special), key=len, reverse=True)
        ends = [self.reading.token_to_id(name) for name in ENDS]
        self.end = min((token for token in ends if token is not None), default=None)

    def text(self, text):
        """A text, with what the file puts before and after one."""
        return self.plain.encode(text).ids

    def inner(self, text):
        return self.plain.encode(text, add_special_tokens=False).ids

    def prompt(self, messages):
        """A conversation up to where the answer begins."""
        if self.template is None:
            return self.text("\n".join(f"{m['role']}: {m['content']}" for m in messages) + "\nassistant: ")
        rendered = self.template([{**m, "content": self._guarded(m["content"])} for m in messages])
        tokens = []
        for number, piece in enumerate(re.split(f"{OPEN}(.*?){CLOSE}", rendered, flags=re.S)):
            # Every second piece stood between marks.
            coder = self.plain if number % 2 else self.reading
            tokens += coder.encode(piece, add_special_tokens=False).ids if piece else []
        return tokens

    def _guarded(self, text):
        text = text.replace(OPEN, "").replace(CLOSE, "")
        out, at = [], 0
        while at < len(text):
            found = next((special for special in self.specials if text.startswith(special, at)), None)
            out.append(OPEN + found + CLOSE if found else text[at])
            at += len(found) if found else 1
        return "".join(out)


class Rows:
    """Collects rows; some of the items, by a hash of their id, are held out to measure with."""

    def __init__(self, words, settings, context):
        self.words = words
        self.maximum = min(settings["maximum_tokens"], context)
        self.held = settings["holdout"]
        self.learns_passages = settings.get("passages", False)
        self.others = {}
        self.training, self.holdout, self.cut = [], [], 0

    def add(self, line, datanet):
        content = line.get("content")
        if content is None:
            return
        first = hashlib.sha256(("holdout\n" + line["item"]).encode()).digest()[0]
        is_held = first * 100 < self.held * 256
        if isinstance(content, str):
            found = self._plain(content)
        elif isinstance(content.get("prompt"), str) and isinstance(content.get("completion"), str):
            # Half a pair teaches nothing: it is passed over.
            if not content["prompt"] or not content["completion"]:
                return
            found = self._pairs(content["prompt"], content["completion"], datanet, is_held)
        else:
            text = content.get("text")
            found = self._plain(text if isinstance(text, str) else "")
        for tokens, start in found:
            if len(tokens) > max(1, start):
                (self.holdout if is_held else self.training).append(
                    Row(line["item"], line["owner"], datanet, tokens, max(1, start)))

    def _plain(self, text):
        tokens = self.words.text(text)
        return [(tokens[at:at + self.maximum], 1) for at in range(0, len(tokens), self.maximum)]

    def _pairs(self, prompt, completion, datanet, is_held):
        question = {"role": "user", "content": prompt}
        plain = self._pair([question], completion)
        if not self.learns_passages:
            return [plain]
        own = prompt + "\n" + completion
        passages = list(self.others.get(datanet, []))
        passages.insert(min(len(passages), hashlib.sha256(own.encode()).digest()[0] % 3), own)
        if not is_held:
            self.others[datanet] = (self.others.get(datanet, []) + [own])[-2:]
        context = {"role": "system", "content": "Use these passages where they help:\n" + "\n\n".join(passages)}
        return [plain, self._pair([context, question], completion)]

    def _pair(self, messages, completion):
        tokens = self.words.prompt(messages)
        start = len(tokens)
        tokens = tokens + self.words.inner(completion) + ([self.words.end] if self.words.end is not None else [])
        if len(tokens) <= self.maximum:
            return tokens, start
        self.cut += 1
        # The end of a long prompt says more about its answer than the beginning.
        kept = min(start, self.maximum // 2)
        return tokens[start - kept:start] + tokens[start:start + self.maximum - kept], kept
