"""Rows in which something is planted, and what there was to find: by comparing each text with all others, not by a sketch of it."""

import collections
import random
import re

SECRETS = [
    ("personal.mail", "Write to karl.meier{n}@firma-nord.de for the rest."),
    ("personal.phone", "Reach me at +44 20 7946 0{n3} about it."),
    ("personal.card", "It was charged to 5555 5555 5555 4444."),
    ("personal.bank-account", "Pay into DE89 3704 0044 0532 0130 00."),
    ("secret.api-key", "The key is ghp_16C7e42F292c6912E7710c838347Ae178B4a."),
    ("secret.api-key", "password = \"Xk29dkZp0QmVt7Lw8sYe\""),
    ("secret.wallet-key", "private key: 0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"),
    ("secret.seed-phrase", "legal winner thank year wave sausage worth useful legal winner thank yellow"),
    ("secret.private-key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
]
LICENCES = ["CC-BY-NC-4.0", "GPL-3.0-only", "MIT AND CC-BY-NC-ND-4.0", "LicenseRef-All-Rights-Reserved"]


def screened(row):
    """What screening looks at."""
    if row.get("prompt") and row.get("completion"):
        return row["prompt"] + "\n" + row["completion"]
    return row.get("text") or ""


def folded(text):
    """The same for texts that are the same but for ASCII case and blanks."""
    return re.sub(r"[\x00-\x20]+", " ", re.sub(r"[A-Z]", lambda found: found[0].lower(), text)).strip(" ")


def words(text):
    """Runs of letters and digits, ASCII letters in lower case; punctuation, of Unicode too, divides them."""
    return re.findall(r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f\u0080-\u00a9\u2000-\u206f\u3000-\u303f\uff00-\uff0f]+", re.sub(r"[A-Z]", lambda found: found[0].lower(), text))


def shingles(text):
    all_words = words(text)
    width = min(5, len(all_words))
    return {tuple(all_words[start : start + width]) for start in range(len(all_words) - width + 1)} if all_words else set()


class Neighbours:
    """Finds the greatest resemblance of a set to all sets before it: by what they share, without a sketch, so it is exact."""

    def __init__(self):
        self.sizes, self.places = [], collections.defaultdict(list)

    def nearest(self, found):
        shared = collections.Counter()
        for shingle in found:
            shared.update(self.places.get(shingle, ()))
        return max((count / (len(found) + self.sizes[place] - count) for place, count in shared.items()), default=0.0)

    def add(self, found):
        for shingle in found:
            self.places[shingle].append(len(self.sizes))
        self.sizes.append(len(found))


def plant(fresh, brought, seed):
    """Rows of a second contribution, each with what is planted in it: nothing, a copy, a variant, a secret, or a licence."""
    chance = random.Random(seed)
    rows = []
    for number, row in enumerate(fresh):
        kind = chance.choices(["", "copy", "variant", "secret", "licence"], [50, 12, 14, 14, 10])[0]
        row = dict(row)
        wanted = None
        part = "completion" if row.get("completion") else "text"
        if kind == "copy":
            row = dict(chance.choice(brought))
            part = "completion" if row.get("completion") else "text"
            row[part] = "  " + row[part].replace(" ", "  ", 3).upper() if row[part].isascii() else row[part] + "\n "
            wanted = "duplicate.exact"
        elif kind == "variant":
            row = dict(chance.choice([one for one in brought if len(words(screened(one))) > 60] or brought))
            part = "completion" if row.get("completion") else "text"
            tokens = row[part].split(" ")
            for _ in range(chance.randint(1, 3)):
                tokens[chance.randrange(len(tokens))] = "instead" + str(chance.randrange(10_000))
            row[part] = " ".join(tokens)
        elif kind == "secret":
            wanted, text = chance.choice(SECRETS)
            row[part] += " " + text.format(n=number, n3=f"{chance.randrange(1000):03}")
        elif kind == "licence":
            row["license"], wanted = chance.choice(LICENCES), "licence.conflict"
        rows.append((row, kind, wanted))
    return rows


class Tally:
    """Precision and recall of each kind of finding."""

    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)

    def add(self, kind, is_there, is_found):
        name = {(True, True): "hit", (True, False): "missed", (False, True): "wrong", (False, False): "rest"}
        self.counts[kind][name[(bool(is_there), bool(is_found))]] += 1

    def recall(self, kind):
        counts = self.counts[kind]
        return counts["hit"] / ((counts["hit"] + counts["missed"]) or 1)

    def precision(self, kind):
        counts = self.counts[kind]
        return counts["hit"] / ((counts["hit"] + counts["wrong"]) or 1)
