const e=`# Create and sell

For whoever made something: a dataset, a model, an agent. A running network is needed ([quickstart](quickstart.md)). In a
browser the page *Studio* does the same by drag and drop.

## See who would get what

Before anything is linked, for every 10 SAHARA that come in:

\`\`\`sh
sahara asset preview --parent 2:embeds --amount 10
\`\`\`
\`\`\`text
this one
you
20 %
\`\`\`

## Register

Only the content's hash goes on chain. The royalty is what everything built on it will owe it, here a tenth.

\`\`\`sh
printf '{"text":"The ferry to Gili Air leaves at nine."}\\n' > ferries.jsonl
sahara asset register --kind dataset --name ferries --content ferries.jsonl --derivative-royalty 1000 --dev-account 6 | tee made.txt
\`\`\`
\`\`\`text
asset
final in block
\`\`\`

\`\`\`sh
ASSET=$(sed -n 's/^asset \\([0-9]*\\),.*/\\1/p' made.txt)
sahara asset show "$ASSET"
\`\`\`
\`\`\`text
ferries
\`\`\`

## Offer a licence

What a licence allows is data, not a text that somebody has to read. Templates are a start.

\`\`\`sh
sahara license templates
sahara license offer "$ASSET" --template commercial --price 2 --dev-account 6 --yes
sahara license offers "$ASSET"
\`\`\`

Somebody buys it, after looking at the price first; then they may.

\`\`\`sh
sahara license buy "$ASSET" --dev-account 8 --dry-run
sahara license buy "$ASSET" --dev-account 8 --yes
sahara license check "$ASSET" 0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f --purpose commercial
\`\`\`

## Sell it

A signed listing costs nothing until somebody buys. The buyer gets the asset and all its later income.

\`\`\`sh
sahara market sign "asset:$ASSET=5" --dev-account 6 --yes > listing.json
sahara market buy listing.json --dev-account 7 --dry-run
sahara market buy listing.json --dev-account 7 --yes
sahara asset show "$ASSET"
\`\`\`
\`\`\`text
0x14dC79964da2C08b23698B3D3cc7Ca32193d9955
\`\`\`
`;export{e as default};
