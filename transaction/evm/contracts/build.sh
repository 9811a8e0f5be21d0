#!/bin/sh
# Rebuilds the committed bytecode. Needs npm's solc 0.8.x: `npm install solc` somewhere, NODE_PATH to its node_modules.
cd "$(dirname "$0")" && exec node build.cjs
