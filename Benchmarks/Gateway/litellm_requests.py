"""LiteLLM's log of requests for the benchmark: a line of JSON for each, in a file, as its documentation shows for own callbacks."""

import json
import os

from litellm.integrations.custom_logger import CustomLogger


class RequestLog(CustomLogger):
    def __init__(self):
        super().__init__()
        self.file = open(os.environ["REQUEST_LOG"], "a", buffering=1, encoding="utf-8")

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        usage = getattr(response_obj, "usage", None)
        line = {
            "model": kwargs.get("model"), "cost": kwargs.get("response_cost"), "start": str(start_time), "end": str(end_time),
            "tokens": getattr(usage, "total_tokens", None),
        }
        self.file.write(json.dumps(line) + "\n")


log = RequestLog()
