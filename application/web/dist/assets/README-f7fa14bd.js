const a=`# Tutorials

One for each role. Every command in a \`sh\` block is run, in this order, by \`scenarios/tests/the_docs.rs\` against a
local network; what stands below as text must be in what it printed. \`console\` blocks are shown only.

1. [Quickstart](quickstart.md) ([Bahasa Indonesia](quickstart.id.md)): from the program to a paid answer.
2. [Ask and check](ask.md): keys and their limits, receipts, and proof of who was paid.
3. [Create and sell](create.md): register, link to what it was made from, price, licence, sell.
4. [Contribute](contribute.md): one asset, many makers, and what each earned.
5. [Operate](operate.md): look after a network: status, health, metrics, backups.

Stakers and voters: [run a validator](../run-a-validator.md), and the pages *Staking* and *Governance* of the web
application. What an error means: [errors](../errors.md).
`;export{a as default};
