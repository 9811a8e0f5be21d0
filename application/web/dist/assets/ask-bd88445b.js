const e=`# Ask and check

For whoever pays for answers. A running network is needed ([quickstart](quickstart.md)).

## A key that cannot cost more than you say

An API key is a secret of yours and a message that you signed once: how much it may spend in all and on one day. The chain
holds to it, whatever a gateway or a thief does.

\`\`\`sh
sahara key create --name tutorial --limit 2 --daily-limit 1 --fund 3 --dev-account 8
sahara key list
\`\`\`
\`\`\`text
tutorial
active
at most
\`\`\`

\`--dev-account 8\` is an account of the public test mnemonic; on another network use \`--wallet NAME\`
(\`sahara wallet new NAME\`).

## A receipt

\`\`\`sh
KEY=$(sahara key create --name second --limit 1 --daily-limit 1 --dev-account 8 --json | sed -n 's/.*"api_key": "\\(sk-[0-9a-f]*\\)".*/\\1/p')
sahara chat "Hello!" --max-tokens 8 --api-key "$KEY" | tee answer.txt
ID=$(sed -n 's/.*(\\(rcpt_[0-9a-f_]*\\)).*/\\1/p' answer.txt)
SAHARA_API_KEY="$KEY" sahara receipt get "$ID" --json > receipt.json
sahara receipt verify receipt.json
\`\`\`
\`\`\`text
rcpt_
paid in block
\`\`\`

\`receipt verify\` needs no network. It trusts one hash, that of the chain's first block, and checks the rest: the validators'
signatures on the block that paid, the place of the claim in it, the place of the receipt in the claim, both signatures on the
receipt, and that tokens times prices are what was charged. The web application shows the same as a picture at
\`/explore/receipt/ID\`.

A receipt that somebody changed is refused:

\`\`\`sh
sed 's/"completion_tokens": 8/"completion_tokens": 9/' receipt.json > changed.json
if sahara receipt verify changed.json; then exit 1; fi
\`\`\`

## End a key

\`\`\`sh
sahara key revoke second --dev-account 8
sahara key show second
\`\`\`
\`\`\`text
revo
\`\`\`

No gateway is needed for it. An hour later \`sahara key close second\` returns what was set aside.
`;export{e as default};
