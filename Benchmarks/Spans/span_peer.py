"""infini-gram's engine, as the benchmark of the corpus index asks it. Usage:

span_peer.py FOLDER make TOKENS OUT                  the index of the corpus's first documents, up to so many tokens, into the folder OUT
span_peer.py FOLDER ask INDEX CAP TEXTS ROUNDS KINDS counts of the workload's runs (where KINDS has `counts`) and traces of its texts

FOLDER is what the peer's scripts have made: index_bpe, workload and tok32k.json. Answers with one line of JSON. Times are of a call from
Python, by the clock, the best of so many rounds each, after one that warms everything up.
"""

import json
import math
import os
import random
import resource
import sys
import time
import types

import numpy

folder, verb = sys.argv[1:3]
source = os.path.join(folder, "index_bpe")


def percentiles(times):
    times = sorted(times)
    return {"p50": times[len(times) // 2] / 1e3, "p99": times[min(len(times) - 1, len(times) * 99 // 100)] / 1e3}


def make(tokens, out):
    import infini_gram.indexing

    os.makedirs(out)
    text = numpy.fromfile(os.path.join(source, "tokenized.0"), dtype=numpy.uint16)
    starts = numpy.fromfile(os.path.join(source, "offset.0"), dtype=numpy.uint64)
    places = numpy.fromfile(os.path.join(source, "metaoff.0"), dtype=numpy.uint64)
    count = int(numpy.searchsorted(starts, 2 * tokens, side="right"))
    end = int(starts[count]) if count < len(starts) else 2 * len(text)
    part = text[: end // 2]
    part.tofile(os.path.join(out, "tokenized.0"))
    starts[:count].tofile(os.path.join(out, "offset.0"))
    places[:count].tofile(os.path.join(out, "metaoff.0"))
    with open(os.path.join(source, "metadata.0"), "rb") as file:
        metadata = file.read(int(places[count]) if count < len(places) else -1)
    with open(os.path.join(out, "metadata.0"), "wb") as file:
        file.write(metadata)
    unigrams = numpy.bincount(part, minlength=256)
    with open(os.path.join(out, "unigram.0"), "w") as file:
        for token in numpy.nonzero(unigrams)[0]:
            file.write(f"{token} {unigrams[token]}\n")
    with open(os.path.join(source, "bow_ids.txt")) as file, open(os.path.join(out, "bow_ids.txt"), "w") as copy:
        copy.write(file.read())
    settings = types.SimpleNamespace(save_dir=out, temp_dir=out, worker_id=0, shards=1, workers=1, cpus=2, mem=8, token_width=2)
    # What the builder says goes elsewhere: the answer is one line.
    answer = os.dup(1)
    os.dup2(2, 1)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    infini_gram.indexing.build_sa(settings)
    wall, after = time.time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    os.dup2(answer, 1)
    return {
        "seconds": wall,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "bytes": sum(os.path.getsize(os.path.join(out, name)) for name in os.listdir(out)),
        "tokens": end // 2,
        "documents": count,
    }


def ask(index, cap, texts, rounds, kinds):
    from infini_gram.engine import InfiniGramEngine

    with open(os.path.join(folder, "tok32k.json")) as file:
        vocabulary = json.load(file)["model"]["vocab"]
    ends = sorted(number for token, number in vocabulary.items() if token in (".", "Ċ"))
    answer = os.dup(1)
    os.dup2(2, 1)
    engine = InfiniGramEngine(
        index_dir=index, eos_token_id=0, vocab_size=32000, version=4, token_dtype="u16", load_to_ram=False,
        bow_ids_path=os.path.join(index, "bow_ids.txt"), precompute_unigram_logprobs=True, ds_prefetch_depth=0, sa_prefetch_depth=0,
        od_prefetch_depth=0,
    )
    os.dup2(answer, 1)
    now = time.perf_counter_ns
    found = {}
    if "counts" in kinds:
        runs = [json.loads(line)["ids"] for line in open(os.path.join(folder, "workload/ngrams.jsonl"))]
        found["counts"] = [engine.count(run)["count"] for run in runs]
        order = runs[:]
        random.Random(1).shuffle(order)
        times = []
        for run in order:
            best = 1 << 60
            for _ in range(rounds):
                began = now()
                engine.count(run)
                best = min(best, now() - began)
            times.append(best)
        found["count_us"] = percentiles(times)

    def trace(ids):
        """Every maximal span, the most telling of them, and up to ten documents of each: what OLMoTrace asks of the engine."""
        began = now()
        spans = engine.attribute(ids, delim_ids=ends, min_len=1, max_cnt=cap, enforce_bow=True)["spans"]
        kept = sorted(spans, key=lambda span: span["unigram_logprob_sum"])[: math.ceil(0.05 * len(ids))]
        wanted = []
        for span in kept:
            documents = span["docs"] if len(span["docs"]) <= 10 else random.Random(0).sample(span["docs"], 10)
            wanted += [(document["s"], document["ptr"]) for document in documents]
        if wanted:
            engine.get_docs_by_ptrs(wanted, max_disp_len=500)
        return now() - began

    traces = [json.loads(line) for line in open(os.path.join(folder, "workload/traces.jsonl"))]
    for kind in kinds:
        if kind == "counts":
            continue
        length, name = kind.split("-")
        chosen = [one["ids"] for one in traces if one["L"] == int(length) and one["kind"] == name][:texts]
        for ids in chosen[: 3 if rounds > 1 else 1]:
            trace(ids)
        found[kind] = percentiles([min(trace(ids) for _ in range(rounds)) for ids in chosen])
    return found


if verb == "make":
    print(json.dumps(make(int(sys.argv[3]), sys.argv[4])))
else:
    index, cap, texts, rounds = sys.argv[3], *(int(word) for word in sys.argv[4:7])
    print(json.dumps(ask(index, cap, texts, rounds, sys.argv[7].split(","))))
