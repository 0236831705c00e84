"""A fine-tuning through REST alone, on the embedded runner: from a file to a Datanet's snapshot, a job that is watched, killed with the whole
program and gone on with, an adapter that is better on held-out rows, is asked through the gateway, loads in PEFT and is repeated bit for bit.

finetune.py PROGRAM FOLDER     OPENLEDGER_TEST_BASE: a base model's folder; a tiny one is made when left out
                               OPENLEDGER_TEST_DATANETS: a folder of JSONL with prompts and completions; a few of our own when left out
                               OPENLEDGER_TEST_TORCH: a Python with torch, transformers and PEFT; the adapter is not loaded there when left out
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = os.environ.get("OPENLEDGER_TEST_BASE")
EPOCHS = int(os.environ.get("EPOCHS", "6"))


class House:
    """The program, which may be killed and started again on the same data."""

    def __init__(self):
        self.administrator = None
        self.start()

    def start(self):
        out = open(FOLDER / "up.out", "w")
        self.process = subprocess.Popen(
            [PROGRAM, "up", "--data", str(FOLDER / "home"), "--port", "0"], stdout=out, stderr=open(FOLDER / "up.log", "a"),
            env={**os.environ, "OPENLEDGER_RUNNER_MODELS": f"base={BASE}", "OPENLEDGER_RUNNER_REPORT_MILLISECONDS": "20",
                 "OPENLEDGER_TRAINING_LEASE": "5"})
        for _ in range(1800):
            text = (FOLDER / "up.out").read_text()
            found = [line.split(": ", 1)[1] for line in text.splitlines() if line.startswith("OpenLedger is up: ")]
            if found:
                self.url = found[0]
                keys = [line.split(": ", 1)[1] for line in text.splitlines() if line.startswith("The administrator's API key")]
                self.administrator = keys[0] if keys else self.administrator
                return
            assert self.process.poll() is None, "the program ended before it was up"
            time.sleep(0.1)
        raise AssertionError("the program was not up in time")

    def kill(self):
        self.process.kill()
        self.process.wait()


def call(method, path, body=None, key=None, data=None, kind="application/json"):
    headers = {"Authorization": "Bearer " + (key or KEY), "Idempotency-Key": str(uuid.uuid4())}
    if body is not None:
        data = json.dumps(body).encode()
    if data is not None:
        headers["Content-Type"] = kind
    request = urllib.request.Request(house.url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from None


def until(what, look, seconds=600):
    for _ in range(seconds * 5):
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited in vain for {what}")


def examples():
    folder = os.environ.get("OPENLEDGER_TEST_DATANETS")
    if folder:
        rows = [json.loads(line) for line in open(f"{folder}/healthcare-medquad.jsonl", encoding="utf-8")]
        return [(row["prompt"], row["completion"]) for row in rows if "prompt" in row][:int(os.environ.get("ROWS", "200"))]
    places = ["harbour", "mill", "bridge", "tower", "market", "school", "ferry", "garden", "station", "library"]
    times = ["at six", "at seven", "at eight", "at nine"]
    return [
        (f"When does the {place} of {town} open?", f"The {place} of {town} opens {times[(number + len(town)) % 4]} in the morning.")
        for town in ("Aldern", "Birkholm", "Carrow", "Dunmere") for number, place in enumerate(places)]


def upload():
    lines = "".join(
        json.dumps({"messages": [{"role": "user", "content": p}, {"role": "assistant", "content": c}]}) + "\n" for p, c in examples())
    mark = uuid.uuid4().hex
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--{mark}\r\nContent-Disposition: form-data; '
        f'name="file"; filename="rows.jsonl"\r\nContent-Type: application/jsonl\r\n\r\n{lines}\r\n--{mark}--\r\n').encode()
    return call("POST", "/v1/files", data=body, kind=f"multipart/form-data; boundary={mark}")["id"]


def snapshot():
    """The file becomes a snapshot of a Datanet of its owner's on the way of OpenAI's fine-tuning, which is stopped there."""
    job = call("POST", "/v1/fine_tuning/jobs", {
        "model": "house/base", "training_file": upload(), "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}})["id"]

    def made():
        notes = [event["message"] for event in call("GET", f"/v1/fine_tuning/jobs/{job}/events?limit=100")["data"]]
        assert not any("could not" in note for note in notes), notes
        return next((note for note in notes if note.startswith("Snapshot ")), None)

    words = until("the snapshot", made).split()
    try:
        call("POST", f"/v1/fine_tuning/jobs/{job}/cancel")
    except AssertionError:
        pass  # It may be over already.
    return {"datanet": words[3], "number": int(words[1])}


def watch(job, seen, enough):
    """Reads the job's events as they come until there are enough."""
    request = urllib.request.Request(f"{house.url}/v1/training-jobs/{job}/events", headers={"Authorization": "Bearer " + KEY})
    with urllib.request.urlopen(request, timeout=300) as answer:
        for line in answer:
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:]))
                if enough(seen[-1]):
                    return


if not BASE:
    BASE = str(FOLDER / "tiny")
    subprocess.run([sys.executable, ROOT / "Tests/Clients/tiny_base.py", ROOT / "models/base", BASE], check=True)
house = House()
subprocess.run([sys.executable, ROOT / "Tests/Clients/prepare.py", house.url, house.administrator, str(FOLDER)], check=True)
KEY = (FOLDER / "key").read_text()
chosen = snapshot()
settings = {"epochs": EPOCHS, "batch": "auto", "learning_rate": 4000, "rank": 8, "holdout": 20, "checkpoint_every": 4, "seed": 7}
order = {"base": "base", "snapshots": [chosen], "settings": settings}
preview = call("POST", "/v1/training-jobs/preview?rows=2", order)
assert preview["training"] or preview["held_out"], preview
quote = call("POST", "/v1/training-jobs/quote", order)
job = call("POST", "/v1/training-jobs", order)["job"]
path = f"/v1/training-jobs/{job}"

# Live figures, until there is a checkpoint; then the whole program dies.
seen = []
watch(job, seen, lambda event: event.get("checkpoint") or event["status"] == "succeeded")
house.kill()
before = seen[-1]
assert before["status"] == "running" and before["checkpoint"] > 0, before
house.start()
known = len(seen)
watch(job, seen, lambda event: event["status"] in ("succeeded", "failed"))
done = call("GET", path)
# Its runner was silent for a lease, and so the job went on once more, and not more often.
assert done["status"] == "succeeded" and done["attempt"] == 2, done
again = [event["progress"]["step"] for event in seen[known:] if (event.get("progress") or {}).get("step")]
assert min(again) >= before["checkpoint"], (before["checkpoint"], again)
steps = sorted({event["progress"]["step"] for event in seen if event.get("progress") and event["progress"].get("step")})
assert len(steps) >= 3 and any("holdout_loss_micros" in (event.get("progress") or {}) for event in seen), steps
record = call("GET", path + "/record")["record"]
first, last = (record["evaluations"][at]["holdout_loss_micros"] / 1e6 for at in (0, -1))
assert last < first, record["evaluations"]
measured = call("POST", path + "/evaluation", {"samples": 2, "answers": 2})
assert measured["adapter"]["loss_micros"] < measured["base"]["loss_micros"], measured

amount = {"asset": "USDC/6", "amount": "1000000"}
call("POST", "/v1/adapters", {
    "model": "visitor/tuned", "base": "base", "job": job, "price": {"request": {"asset": "USDC/6", "amount": "100"}, "input": amount, "output": amount},
    "split": {"owner": 2000, "datanets": 0, "contributors": 7000, "validators": 0, "compute": 1000}})
until("the model", lambda: any(model["id"] == "visitor/tuned" for model in call("GET", "/v1/models")["data"]))
question = [{"role": "user", "content": examples()[0][0]}]
answer = call("POST", "/v1/chat/completions", {"model": "visitor/tuned", "messages": question, "max_tokens": 24, "temperature": 0})
assert answer["usage"]["completion_tokens"] > 0, answer

told = "not loaded in PEFT (OPENLEDGER_TEST_TORCH)"
torch = os.environ.get("OPENLEDGER_TEST_TORCH")
if torch:
    adapter = FOLDER / "adapter"
    adapter.mkdir()
    for file in call("GET", path + "/adapter")["files"]:
        request = urllib.request.Request(f"{house.url}{path}/adapter/{file['path']}", headers={"Authorization": "Bearer " + KEY})
        (adapter / file["path"]).write_bytes(urllib.request.urlopen(request).read())
    told = subprocess.run([torch, ROOT / "Tests/Models/load.py", BASE, adapter], check=True, capture_output=True, text=True).stdout.strip()

(FOLDER / "token").write_text(KEY)
(FOLDER / "rows").mkdir()
audit = subprocess.run(
    [PROGRAM, "audit", house.url + "/log", "--retrain", job, "--token-file", FOLDER / "token", "--rows", FOLDER / "rows", "--base", BASE],
    capture_output=True, text=True)
assert audit.returncode == 0, audit.stdout + audit.stderr
house.process.terminate()
house.process.wait()
print(
    f"Models: {record['rows']} rows, {record['steps']} steps on {record['kernel_level']}, killed at step {before['checkpoint']}; held-out loss "
    f"{first:.4f} → {last:.4f}; asked through the gateway; {told}; the repeat gives the same adapter")
