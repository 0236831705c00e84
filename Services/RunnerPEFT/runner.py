#!/usr/bin/env python3
"""OpenLedger's PEFT runner: leases fine-tuning jobs over HTTP and does them with transformers and PEFT, on a GPU where there is one.

    OPENLEDGER_URL            where training answers, such as http://127.0.0.1:7400
    OPENLEDGER_TOKEN_FILE     a token or API key with the scopes runners:work, artefacts:read and models:write (or OPENLEDGER_TOKEN)
    OPENLEDGER_RUNNER_MODELS  name=folder of each base model, separated by commas
    OPENLEDGER_RUNNER_DEVICE  cuda, cpu, …; the GPU where there is one when left out

    runner.py [--jobs N] [--join]     ends after N jobs; runs until it is stopped when left out
                                      --join: joins as a runner of one's own, by what its principal has staked in the pool `runners`
"""

import argparse
import hashlib
import http.client
import json
import os
import pathlib
import random
import secrets
import signal
import tempfile
import threading
import time
import traceback

import torch

from influence import Draw, Influence, sizes
import quantised
from learning import Base, Learning, engine
from protocol import Artefact, Desk, Refused, canonical, token_source
from rows import Row, Rows, Words


class Lost(Exception):
    """The job is no longer this runner's."""


class Halted(Exception):
    """The job's owner halted it."""


class OtherBase(Exception):
    """The job is on other weights of this name."""


class TooLarge(Exception):
    """What measures influence would be larger than is taken."""


# The most bytes of a file of attribution rows, and of a piece of the factors.
LARGEST, PIECE = 128 << 20, 256 << 20
# The most bytes of all rows, which attribution takes, and of the factors: a manifest names 64 files.
MOST_ROWS, MOST_FACTORS = 4 << 30, 27 * PIECE


def passes(error):
    """Whether a fault has nothing to do with the job: what is tried again, here or elsewhere, may succeed."""
    if isinstance(error, Refused):
        # What is wrong with the call is wrong with the job; who may not call any more has no say about it.
        return error.status not in (400, 413, 422)
    return isinstance(error, (OSError, http.client.HTTPException))


class Model:
    """A base model of this runner."""

    def __init__(self, name, folder, device):
        self.name = name
        self.artefact = Artefact.of_model(folder).digest
        record = pathlib.Path(folder, "recipe.json")
        self.licence = json.loads(record.read_text()).get("licence", "LicenseRef-unknown") if record.exists() else "LicenseRef-unknown"
        self.base = Base(folder, device)
        self.words = Words(folder, self.base.template)


class Reporter:
    """Keeps the lease while the work goes on, and hears whether it may."""

    def __init__(self, desk, order):
        self.desk, self.order = desk, order
        self.figures = {"step": 0, "steps": 0}
        self.wish = "go on"
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _run(self):
        while not self.over.wait(min(1.0, self.order.lease_seconds / 6)):
            try:
                answer = self.desk.heartbeat(self.order, **self.figures)
                if not answer["go_on"]:
                    self.wish = "leave a checkpoint" if answer.get("checkpoint") else "stop"
            except (OSError, Refused):
                pass  # A report that is lost is followed by another.

    def check(self):
        """Ends the work where the job may not go on."""
        if self.wish == "stop":
            raise Lost
        if self.wish != "go on":
            raise Halted

    def tell(self, learning):
        self.figures = {
            "step": learning.step, "steps": learning.steps, "tokens": learning.tokens, "loss_micros": max(0, round(learning.loss * 1e6))}
        if learning.evaluations:
            self.figures["holdout_loss_micros"] = max(0, learning.evaluations[-1]["holdout_loss_micros"])


def measurable(learning, rows):
    """Why what measures influence can't be handed in; nothing where it can. Asked before anything is learned."""
    factors, made = sizes(learning, rows)
    if factors > MOST_FACTORS:
        return f"the factors would take {factors >> 20} MiB, and may take {MOST_FACTORS >> 20}: fewer targets or a smaller base"
    if made > MOST_ROWS:
        return f"the rows would take {made >> 20} MiB, and may take {MOST_ROWS >> 20}: fewer targets, a lower rank or fewer rows"
    return None


def work(desk, order, model, joined):
    """One job from its rows to the adapter handed in."""
    if order.base_artefact and order.base_artefact != model.artefact:
        raise OtherBase(f"the base model {order.base} is {model.artefact} here, the job is on {order.base_artefact}")
    if order.settings.get("precision", "float32") != "float32":
        quantised.require(order.settings["precision"])
    with Reporter(desk, order) as reporter:
        rows = Rows(model.words, order.settings, model.base.context)
        for index, snapshot in enumerate(order.snapshots):
            for line in desk.rows(order, index):
                rows.add(line, snapshot["datanet"])
        if not rows.training:
            raise ValueError("the snapshots have no row to learn from")
        learning = Learning(model.base, order.settings, rows.training, rows.holdout)
        try:
            left_out = measurable(learning, len(rows.training))
            # Who joined is one that makes attribution rows.
            if left_out and joined:
                raise TooLarge(left_out)
            train(desk, order, learning, reporter)
            learning.take_best()
            # The place that is left when the job is halted while its rows are measured.
            end = Artefact(learning.checkpoint())
            learning.settle()
            try:
                hand_in(desk, order, learning, rows, model, reporter, left_out)
            except Halted:
                keep(desk, order, learning, reporter, end)
                raise
        finally:
            learning.close()


def train(desk, order, learning, reporter):
    settings = order.settings
    if order.checkpoint and learning.restore(desk.download(order.checkpoint)):
        print(f"goes on from step {learning.step}", flush=True)
    if not learning.evaluations:
        learning.evaluate()
    owed = False
    while not learning.is_over():
        learning.advance()
        if learning.step % 25 == 0 or learning.step == learning.steps:
            learning.evaluate()
        reporter.tell(learning)
        if reporter.wish == "stop":
            raise Lost
        if reporter.wish != "go on":
            keep(desk, order, learning, reporter)
            raise Halted
        # One that could not be left is left after a later step.
        owed = owed or learning.step % settings["checkpoint_every"] == 0
        if owed and learning.step < learning.steps:
            try:
                keep(desk, order, learning, reporter)
                owed = False
            except (OSError, http.client.HTTPException, Refused) as error:
                if not passes(error):
                    raise
                print(f"a checkpoint could not be left yet: {error}", flush=True)


def keep(desk, order, learning, reporter, artefact=None):
    artefact = artefact or Artefact(learning.checkpoint())
    desk.upload(artefact)
    try:
        desk.checkpoint(order, learning.step, artefact, reporter.figures)
    except Refused as refused:
        # There is one at this step or beyond already, or the job is another's, which the next report says.
        if refused.status != 409:
            raise


def hand_in(desk, order, learning, rows, model, reporter, left_out):
    with tempfile.TemporaryDirectory() as folder:
        learning.save(folder, model.name)
        files = {name: pathlib.Path(folder, name).read_bytes() for name in ("adapter_config.json", "adapter_model.safetensors")}
    made, measured = None, {"rows_left_out": left_out}
    if not left_out:
        garbage = canaries(order.job, rows.training, model.base.model.config.vocab_size)
        made, factors = attribution(learning, rows.training, garbage, reporter)
        desk.upload(made)
        measured = {"factors": factors, "canary_rows": len(garbage)}
    files["openledger.json"] = canonical({"job": order.job, "base": model.artefact, "snapshots": order.snapshots})
    artefact = Artefact(files)
    desk.upload(artefact)
    desk.complete(order, artefact, made, learning.tokens, {
        "engine": engine(), "device": model.base.device.type, "threads": torch.get_num_threads(), "seed": order.settings["seed"],
        "precision": learning.precision, "steps": learning.steps, "final_loss_micros": round(learning.loss * 1e6), "rows": len(rows.training), "cut": rows.cut,
        "holdout_rows": len(rows.holdout), "evaluations": learning.evaluations, **measured})
    print(f"job {order.job} is done: {artefact.digest}", flush=True)


def canaries(job, rows, vocabulary):
    """Rows of tokens drawn at random by the job's id, 4 names of 8 rows as long as most: what garbage would earn by influence, which
    attribution takes off. Nobody learns from them. The first tokens, which mark up conversations, are left out. The embedded runner draws the
    same ones."""
    length = max(2, sorted(len(row.tokens) for row in rows)[len(rows) // 2])
    seed = int.from_bytes(hashlib.sha256(("canaries\n" + job).encode()).digest()[:8], "big")
    draw, first = Draw(seed * 0x9E3779B97F4A7C15 + 0xCA4A27), 16 if vocabulary > 64 else 0
    return [
        Row(tokens=[first + draw.below(vocabulary - first) for _ in range(length)], start=1, item=f"canary/{name}/{number}", owner="", datanet="")
        for name in range(4) for number in range(8)]


def attribution(learning, rows, canaries, reporter):
    """The attribution rows of the training items and of canaries as an artefact, in the embedded runner's form, and the name of the factors
    they are made with."""
    end = learning.point()
    influence = Influence(learning, reporter.check)
    try:
        # A point that is counted twice would seem to agree with itself.
        same = learning.half is None or all(torch.equal(learning.half[name], end[name]) for name in end)
        points = [end] if same else [learning.half, end]
        influence.fit(points, rows)
        # In as many files as they need; a row's place is counted over all of them, and none lies in two.
        parts, count, index = [bytearray()], 0, []
        for row, whose in [(row, {"owner": row.owner, "datanet": row.datanet}) for row in rows] + [(row, {}) for row in canaries]:
            made = influence.row(row)
            index.append({"item": row.item, **whose, "offset": count, "length": len(made)})
            if parts[-1] and len(parts[-1]) + len(made) > LARGEST:
                parts.append(bytearray())
            parts[-1] += made
            count += len(made)
        factors = "sha256:" + influence.digest.hex()
        return Artefact({
            **{f"rows-{number}.bin" if number else "rows.bin": bytes(part) for number, part in enumerate(parts)}, "rows.json": canonical({"factors": factors, "checkpoints": len(points), "rows": index}),
            **pieces(influence.file())}), factors
    finally:
        influence.close()


def pieces(file):
    """The factors' file as it is handed in: in pieces that training takes."""
    return {
        f"factors-{number}.safetensors" if number else "factors.safetensors": file[start:start + PIECE]
        for number, start in enumerate(range(0, len(file), PIECE))}


def run(desk, models, jobs, joins):
    for model in models.values():
        desk.register(model.name, model.artefact, model.licence, model.base.parameters)
    if joins:
        desk.join(engine(), models)
    key = "lease-" + secrets.token_hex(16)
    declined = []
    while jobs != 0:
        try:
            order = desk.lease(sorted(models), 20, key, declined)
        except (OSError, Refused) as error:
            # The same key until there is an answer: a lease whose answer was lost is given again.
            if isinstance(error, Refused) and error.status == 409:
                key = "lease-" + secrets.token_hex(16)
            print(f"training gave no job: {error}", flush=True)
            time.sleep(1)
            continue
        key = "lease-" + secrets.token_hex(16)
        if order is None:
            continue
        print(f"works on {order.job}, attempt {order.attempt}", flush=True)
        try:
            work(desk, order, models[order.base], joins)
        except Lost:
            print(f"job {order.job} was cancelled, or given to another runner", flush=True)
        except Halted:
            print(f"job {order.job} was halted by its owner", flush=True)
        except Exception as error:  # Whatever it is, training is told why.
            traceback.print_exc()
            if passes(error):
                # Nobody is told: once this runner has been silent for as long as a lease lasts, the job goes on from its checkpoint.
                print(f"job {order.job} is let go, and goes on later", flush=True)
                continue
            # What this runner has no room or no base for, another may do.
            elsewhere = isinstance(error, (OtherBase, TooLarge, quantised.Unsupported, MemoryError, torch.OutOfMemoryError))
            if elsewhere:
                declined.append(order.job)
            try:
                desk.fail(order, str(error) or type(error).__name__, elsewhere)
            except (OSError, Refused) as refused:
                print(f"its failure could not be told: {refused}", flush=True)
        jobs -= 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--jobs", type=int, default=-1)
    arguments.add_argument("--join", action="store_true")
    arguments = arguments.parse_args()
    # What stops a container; the job goes on elsewhere from its checkpoint.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    named = os.environ.get("OPENLEDGER_RUNNER_MODELS", "")
    places = dict(entry.split("=", 1) for entry in named.split(",") if "=" in entry)
    if not places:
        raise SystemExit("OPENLEDGER_RUNNER_MODELS names no base model: name=folder, separated by commas")
    device = os.environ.get("OPENLEDGER_RUNNER_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    desk = Desk(os.environ.get("OPENLEDGER_URL", "http://127.0.0.1:7400"), token_source(), quantised.features())
    models = {name: Model(name, folder, device) for name, folder in places.items()}
    print(f"{engine()} on {device}: {', '.join(sorted(models))}; can do {', '.join(desk.features)}", flush=True)
    run(desk, models, arguments.jobs, arguments.join)


if __name__ == "__main__":
    main()
