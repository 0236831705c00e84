"""langchain-openai and litellm: an answer and a stream each, and the error that a missing model becomes."""

import sys

import litellm
from langchain_openai import ChatOpenAI

URL, KEY = sys.argv[1:3]

model = ChatOpenAI(base_url=URL + "/v1", api_key=KEY, model="house/base", max_tokens=8, seed=1, max_retries=0)
answer = model.invoke("When does the harbour bar break?")
assert isinstance(answer.content, str) and answer.usage_metadata["output_tokens"] > 0
pieces = list(model.stream("When does the harbour bar break?"))
assert "".join(piece.content for piece in pieces) == answer.content and len(pieces) > 1

common = {
    "model": "openai/house/base", "api_base": URL + "/v1", "api_key": KEY, "max_tokens": 8, "seed": 1, "num_retries": 0,
    "messages": [{"role": "user", "content": "When does the harbour bar break?"}],
}
whole = litellm.completion(**common)
assert whole.usage.completion_tokens > 0
streamed = "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(stream=True, **common))
assert streamed == whole.choices[0].message.content, (streamed, whole.choices[0].message.content)
try:
    litellm.completion(**{**common, "model": "openai/none"})
    raise AssertionError("a missing model was answered")
except litellm.NotFoundError:
    pass
