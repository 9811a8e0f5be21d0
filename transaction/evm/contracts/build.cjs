// Compiles the contracts here with npm's solc and writes bytecode and ABI beside them.
const fs = require('fs');
const solc = require('solc');
const files = ['Multicall3.sol', 'TokenFace.sol', 'GovernorFace.sol', 'AssetAccount.sol', 'Caller.sol', 'Receiver.sol', 'NaiveSplitter.sol'];
// What stands in the state from genesis on: only the code that runs is committed.
const predeployed = ['Multicall3', 'TokenFace', 'GovernorFace', 'AccountRegistry', 'AssetAccount'];
const sources = Object.fromEntries(files.map((f) => [f, { content: fs.readFileSync(f, 'utf8') }]));
const settings = {
  evmVersion: 'osaka', optimizer: { enabled: true, runs: 10000 }, metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
};
const out = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings })));
const errors = (out.errors || []).filter((e) => e.severity === 'error');
if (errors.length) { console.error(errors.map((e) => e.formattedMessage).join('\n')); process.exit(1); }
for (const file of Object.values(out.contracts)) for (const [name, c] of Object.entries(file)) {
  if (/^I[A-Z]/.test(name)) continue;
  if (predeployed.includes(name)) fs.writeFileSync(`${name}.bin-runtime`, c.evm.deployedBytecode.object + '\n');
  else fs.writeFileSync(`${name}.bin`, c.evm.bytecode.object + '\n');
  fs.writeFileSync(`${name}.abi.json`, JSON.stringify(c.abi) + '\n');
}
console.log(solc.version());
