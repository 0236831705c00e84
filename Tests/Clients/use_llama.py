"""A server of others behind the gateway: llama.cpp's, over the same base model as our own runner. Both have to say the same."""

import json
import sys
import time
import urllib.request
import uuid

import openai

URL, KEY = sys.argv[1:3]
client = openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0, timeout=120)


def publish(model, base):
    amount = {"asset": "USDC/6", "amount": "1000000"}
    body = {
        "model": model, "base": base, "price": {"request": {"asset": "USDC/6", "amount": "100"}, "input": amount, "output": amount},
        "split": {"owner": 9000, "datanets": 0, "contributors": 0, "validators": 0, "compute": 1000},
    }
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4()), "Authorization": "Bearer " + KEY}
    urllib.request.urlopen(urllib.request.Request(URL + "/v1/adapters", data=json.dumps(body).encode(), headers=headers, method="POST")).read()
    for _ in range(300):
        if any(entry.id == model for entry in client.models.list()):
            return
        time.sleep(0.1)
    raise AssertionError(f"{model} is not there")


publish("house/here", "us")
publish("house/there", "us-there")
questions = ["When does the harbour bar break?", "Who keeps the lighthouse?", "What is a tide?"]
for question in questions:
    said = []
    for model in ("house/here", "house/there"):
        messages = [{"role": "user", "content": question}]
        answer = client.chat.completions.create(model=model, messages=messages, max_tokens=12, temperature=0)
        chunks = list(client.chat.completions.create(model=model, messages=messages, max_tokens=12, temperature=0, stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == answer.choices[0].message.content and answer.usage.completion_tokens > 0, (model, text, answer)
        said.append((text, answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.choices[0].finish_reason))
    assert said[0] == said[1], said
for model in ("house/here", "house/there"):
    try:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "tide " * 3000}], max_tokens=8)
        raise AssertionError("a conversation beyond the context was answered")
    except openai.BadRequestError as error:
        assert error.code == "context_length_exceeded", error
