"""A stock OpenAI client: one plain and one streamed request. Prints one JSON line.

OPENAI_BASE_URL and OPENAI_API_KEY say where and who; arguments: MODEL QUESTION.
"""

import json
import sys

from openai import OpenAI

model, question = sys.argv[1:3]
client = OpenAI()
ask = {
    "model": model,
    "messages": [{"role": "user", "content": question}],
    "max_tokens": 24,
    "temperature": 0,
    "seed": 7,
}

plain = client.chat.completions.create(**ask)
text, usage = "", None
for chunk in client.chat.completions.create(
    **ask, stream=True, stream_options={"include_usage": True}
):
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
    if chunk.usage:
        usage = chunk.usage

print(
    json.dumps(
        {
            "models": [m.id for m in client.models.list()],
            "plain": {
                "text": plain.choices[0].message.content,
                "finish_reason": plain.choices[0].finish_reason,
                "usage": plain.usage.model_dump(),
            },
            "streamed": {"text": text, "usage": usage.model_dump()},
        }
    )
)
