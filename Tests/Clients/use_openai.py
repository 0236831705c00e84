"""OpenAI's own client: models, chat, streams, errors, files, a fine-tuning to its end, and an answer of what came of it."""

import json
import sys
import time

import openai

URL, KEY, FOLDER = sys.argv[1:4]
client = openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0, timeout=60)
QUESTION = [{"role": "user", "content": "When does the harbour bar break?"}]


def refused(kind, work):
    try:
        work()
    except kind as error:
        assert error.request_id, "no x-request-id"
        return error
    raise AssertionError(f"{kind.__name__} was expected")


assert [model.id for model in client.models.list()] == ["house/base", "harbour"]
assert client.models.retrieve("harbour").owned_by
# The client encodes the slash of a name; a raw one means the same.
assert client.models.retrieve("house/base").id == "house/base"
assert client.get("/models/house/base", cast_to=object)["id"] == "house/base"
refused(openai.NotFoundError, lambda: client.models.retrieve("house/none"))

raw = client.chat.completions.with_raw_response.create(model="house/base", messages=QUESTION, max_tokens=8, seed=1)
answer = raw.parse()
assert raw.headers["x-request-id"] and raw.headers["x-ratelimit-limit-requests"] == "1000", raw.headers
assert int(raw.headers["x-ratelimit-remaining-tokens"]) < 10_000_000
assert answer.choices[0].finish_reason in ("stop", "length") and answer.choices[0].message.role == "assistant"
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
assert answer.model_extra["openledger"]["fee"]["asset"] == "USDC/6"

chunks = list(
    client.chat.completions.create(
        model="house/base", messages=QUESTION, max_tokens=8, seed=1, stream=True, stream_options={"include_usage": True}))
assert chunks[0].choices[0].delta.role == "assistant" and chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0
text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
assert text == answer.choices[0].message.content, (text, answer.choices[0].message.content)
assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == answer.choices[0].finish_reason
assert client.completions.create(model="house/base", prompt="The tide", max_tokens=4).choices[0].text is not None

assert refused(openai.NotFoundError, lambda: client.chat.completions.create(model="none", messages=QUESTION)).code == "model_not_found"
refused(openai.BadRequestError, lambda: client.chat.completions.create(model="house/base", messages=QUESTION, temperature=9))
refused(openai.AuthenticationError, lambda: openai.OpenAI(base_url=URL + "/v1", api_key="olk_wrong", max_retries=0).models.list())
refused(openai.NotFoundError, lambda: client.embeddings.create(model="house/base", input="x"))

topics = [
    ("the harbour bar", "breaks on the ebb when a swell runs in from the west"), ("the lighthouse", "shows two white flashes every ten seconds"),
    ("the ferry", "leaves the north pier at a quarter past each hour"), ("the fish market", "opens when the first boats are in, about five"),
    ("the dry dock", "takes hulls of up to forty metres at spring tide"), ("the pilot station", "answers on channel twelve by day and night"),
    ("the old mill", "grinds barley on the first Saturday of the month"), ("the tide gauge", "stands on the inner wall beside the slipway"),
]
lines = [
    json.dumps({"messages": [
        {"role": "user", "content": f"What should a visitor know about {thing}?"},
        {"role": "assistant", "content": f"A visitor should know that {thing} {what}."}]}) for thing, what in topics
]
file = client.files.create(file=("harbour.jsonl", "\n".join(lines).encode()), purpose="fine-tune")
assert file.object == "file" and file.filename == "harbour.jsonl" and client.files.retrieve(file.id).bytes == file.bytes
assert client.files.content(file.id).read().decode() == "\n".join(lines)
assert [entry.id for entry in client.files.list(purpose="fine-tune")] == [file.id]
spare = client.files.create(file=("spare.jsonl", b"{}"), purpose="fine-tune")
assert refused(
    openai.BadRequestError, lambda: client.fine_tuning.jobs.create(model="house/base", training_file=spare.id)).code == "invalid_training_file"
assert client.files.delete(spare.id).deleted
refused(openai.NotFoundError, lambda: client.files.retrieve(spare.id))

job = client.fine_tuning.jobs.create(
    model="house/base", training_file=file.id, suffix="harbour", seed=3, metadata={"for": "visitors"},
    method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 30, "batch_size": 4}}})
assert job.status == "validating_files" and job.hyperparameters.n_epochs == 30 and job.metadata == {"for": "visitors"}
stopped = client.fine_tuning.jobs.create(model="house/base", training_file=file.id)
assert client.fine_tuning.jobs.cancel(stopped.id).status == "cancelled"
refused(openai.ConflictError, lambda: client.fine_tuning.jobs.pause(stopped.id))


def until(*wanted):
    for _ in range(1200):
        now = client.fine_tuning.jobs.retrieve(job.id)
        if now.status in wanted:
            return now
        time.sleep(0.1)
    raise AssertionError((now.status, wanted))


until("running")
client.fine_tuning.jobs.pause(job.id)
assert until("paused").finished_at is None
client.fine_tuning.jobs.resume(job.id)
job = until("succeeded", "failed", "cancelled")
assert job.status == "succeeded", (job.status, job.error, [event.message for event in client.fine_tuning.jobs.list_events(job.id)])
assert job.trained_tokens > 0 and job.finished_at >= job.created_at
events = list(client.fine_tuning.jobs.list_events(job.id, limit=2))
assert len(events) >= 4 and events[0].created_at >= events[-1].created_at
metrics = [event for event in client.fine_tuning.jobs.list_events(job.id) if event.type == "metrics"]
assert metrics and all(event.data["train_loss"] > 0 and event.data["step"] <= event.data["total_steps"] for event in metrics)
assert list(client.fine_tuning.jobs.checkpoints.list(job.id)) == []
assert {entry.id for entry in client.fine_tuning.jobs.list(limit=1)} == {job.id, stopped.id}
for _ in range(100):
    if any(model.id == job.fine_tuned_model for model in client.models.list()):
        break
    time.sleep(0.1)
# The likeliest words: drawn ones may by chance begin with the end, and the order of the rows is another in each run.
tuned = client.chat.completions.create(model=job.fine_tuned_model, messages=QUESTION, max_tokens=8, temperature=0)
assert tuned.model == job.fine_tuned_model and tuned.usage.completion_tokens > 0, tuned
