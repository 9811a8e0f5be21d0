const n=`# Contribute

For assets that many people made. A running network is needed ([quickstart](quickstart.md)).

## One asset, many makers

The list stays with you: on chain is its root, however long it is. Here one maker has three parts and one has one.

\`\`\`sh
printf 'contributor,units\\n0x70997970C51812dc3A010C7d01b50e0d17dc79C8,3\\n0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC,1\\n' > contributors.csv
printf '{"text":"Written by two people."}\\n' > together.jsonl
sahara contribution root contributors.csv
sahara asset register --kind dataset --name together --content together.jsonl --open --dev-account 6 | tee made.txt
\`\`\`
\`\`\`text
final in block
\`\`\`

\`\`\`sh
ASSET=$(sed -n 's/^asset \\([0-9]*\\),.*/\\1/p' made.txt)
sahara contribution commit "$ASSET" contributors.csv --seal --dev-account 6 --yes
sahara contribution list "$ASSET"
\`\`\`

## Be paid

Anybody may make a contributor a member, with the list or a proof from it; what was earned before is not lost.

\`\`\`sh
sahara contribution activate "$ASSET" --list contributors.csv --contributor 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --dev-account 6
sahara contribution list "$ASSET"
\`\`\`
\`\`\`text
0x70997970C51812dc3A010C7d01b50e0d17dc79C8
\`\`\`

## Look at your money

\`\`\`sh
sahara contribution statement 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --by month
sahara contribution statement 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --csv > earned.csv
sahara earnings --account 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
\`\`\`
\`\`\`text
0x70997970C51812dc3A010C7d01b50e0d17dc79C8
\`\`\`

There is nothing to claim: what is waiting is credited before it is next spent. \`sahara earnings --follow\` and the page
*Earnings* show money as it arrives.
`;export{n as default};
