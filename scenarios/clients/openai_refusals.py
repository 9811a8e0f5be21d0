"""What a stock OpenAI client makes of refusals. Prints one JSON line: case -> [exception, status, code]."""

import json
import os

import openai
from openai import OpenAI

client = OpenAI(max_retries=0)
message = [{"role": "user", "content": "hello"}]
cases = {
    "unknown_model": lambda: client.chat.completions.create(model="no-such-model", messages=message),
    "bad_key": lambda: OpenAI(api_key="sk-wrong", max_retries=0).chat.completions.create(
        model=os.environ["MODEL"], messages=message
    ),
    "over_long": lambda: client.chat.completions.create(
        model=os.environ["MODEL"], messages=[{"role": "user", "content": "word " * 20000}]
    ),
    "bad_role": lambda: client.chat.completions.create(
        model=os.environ["MODEL"], messages=[{"role": "wizard", "content": "hello"}]
    ),
    "negative_tokens": lambda: client.chat.completions.create(
        model=os.environ["MODEL"], messages=message, max_tokens=-1
    ),
}
seen = {}
for name, case in cases.items():
    try:
        case()
        seen[name] = ["accepted", 200, None]
    except openai.APIStatusError as error:
        seen[name] = [type(error).__name__, error.status_code, error.code]
print(json.dumps(seen))
