const e=`# Run a validator

What you need: a machine with a fixed address, one open TCP port (9700 here), a synchronised clock (500 ms), the genesis file of the network, and the \`sahara\` program.

## Keys

\`\`\`sh
sahara key validator validator.secret            # once; readable by you only
sahara validators entry --key-file validator.secret \\
  --fee-address 0xYOUR_ACCOUNT --address 203.0.113.7:9700 > me.json
\`\`\`

\`validator.secret\` is one line from which the network key and the consensus key are derived. It is stored in clear text: guard the file. Who holds several seats makes several secrets and runs several nodes.
\`me.json\` holds public keys only: send it to the other validators.

## Start

\`\`\`sh
sahara node --genesis genesis.json --directory /var/lib/sahara --key-file validator.secret \\
  --peer-listen 203.0.113.7:9700
\`\`\`

Until you are in the set, nobody lets you in. From the moment that it is decided that you will be, the others accept your key; the node then replays the chain, follows, and signs from the first block of the next epoch on. It checks every certificate with the set of its epoch, from the genesis hash.
Validators whose entry has no address must be named with \`--peer KEY@IP:PORT\`. A node that shall follow without ever validating is let in the same way, by whoever names it with \`--peer\`; it serves JSON-RPC and passes transactions on.

## Join, leave, replace: by stake

Networks made by \`sahara testnet init\` are decided by stake. In the last block but one of each epoch it is decided who validates in the next: the same as before, unless the seat period is over (a day by default) or someone who holds a seat left, was jailed, or was slashed for a double vote.

\`\`\`sh
sahara stake create --key-file validator.secret --address 203.0.113.7:9700 --amount 5000 --wallet me
sahara stake show
sahara stake delegate 0xVALIDATOR 250 --wallet me        # anyone; \`undelegate\` takes 21 days
sahara stake leave --wallet me                           # keep the node running until the next epoch has begun
sahara stake unjail --wallet me                          # after downtime: more than 50 of 100 own turns missed
\`\`\`

Seats are apportioned by stake; one validator fills as many as it has registered nodes. Fees of a seat go to the validator's delegators, less its commission.
A contradiction of two votes is kept by every node that sees it; \`sahara validators evidence --report --wallet me\` sends it to the chain, from anyone, for a bounty.

## Join, leave, replace: by signatures

Networks made with \`--by-signatures\`, and \`sahara up\`. A change is decided by more than two thirds of the current seats, within one epoch, for the next.

\`\`\`sh
sahara validators propose --add me.json > change.json                # any of them; --remove KEY leaves
sahara validators sign change.json --key-file validator.secret       # each of them; prints a signature
sahara validators submit change.json --signature 0x.. --signature 0x.. --signature 0x.. --wallet me
sahara validators show
\`\`\`

One change an epoch, not in its last block. Signatures are of this network, this epoch and these two sets; if the epoch ends first, propose and sign again. Leaving: keep the node running until the next epoch has begun.

## Moving, backups, and what must never happen

The consensus directory (\`DIRECTORY/consensus\`) is the memory of what the key has signed. Two processes with one key, or a directory restored from a copy, would sign twice, and a double vote is proof against you.
Beside the key file stands \`validator.guard-XXXXXXXX.json\`; it says how far the key may have signed. If the directory is missing or older than the guard, the node refuses to start and says so:

| you | then |
|---|---|
| moved to another machine | stop the old node; copy key, guard and directory together |
| lost the directory | \`--lost-votes sit-out\`: follows, and signs again from the next epoch on. Safe |
| lost more than a third of all directories at once, so that no epoch ends | agree with the others, then \`--lost-votes sign-anyway\` |

Not detected: the same key on two machines; a whole machine restored from an image, guard included; a copy of a running directory put back within the same eight views. Do not back up the directory of a running node; back up the key.

## What is tested

\`cargo test -p sahara-chain --test simulation\` runs joins, leaves, a set replaced whole, crashes and partitions at the end of an epoch in virtual time, and over TCP a fifth validator that is refused until it is voted in, and one that lost its directory and sits out.
The commands of this page are run, on one machine with a process for each node, by \`scenarios/tests/validators_by_epoch.rs\` (join, replace, leave by signatures under load, with a follower) and \`scenarios/tests/staking_decides_who_validates.rs\` (join and leave by stake). Not run: several machines, the systemd unit, the container file, and a report of evidence by the command.
`;export{e as default};
