// A stock Governor client: ethers with OpenZeppelin's own ABI (GovernorCountingSimple of @openzeppelin/contracts 5.4.0, as its package
// has it) takes a proposal from its making to its execution, and an upgrade to its height. Prints one JSON line. Arguments: RPC_URL.
import { ethers } from "ethers";
import { readFileSync } from "node:fs";

const [url, abiFile] = process.argv.slice(2);
const abi = JSON.parse(readFileSync(abiFile, "utf8"));
const mnemonic = "test test test test test test test test test test test junk";
const provider = new ethers.JsonRpcProvider(url, undefined, { polling: true, pollingInterval: 100, cacheTimeout: -1 });
// Epochs are two blocks here, and a vote reads more of them with each that ends after the estimate: with a wallet's margin.
class Account extends ethers.Wallet {
  async estimateGas(transaction) {
    return ((await super.estimateGas(transaction)) * 5n) / 4n;
  }
}
const wallet = (index) => {
  const { privateKey } = ethers.HDNodeWallet.fromPhrase(mnemonic, undefined, `m/44'/60'/0'/0/${index}`);
  return new ethers.NonceManager(new Account(privateKey, provider));
};
const [validator, delegator, relayer] = [7, 8, 9].map(wallet);
const place = "0x534148415241000000000000000000000000000b";
const stakingPlace = "0x534148415241000000000000000000000000000a";
const governor = new ethers.Contract(place, abi, validator);
const deposits = new ethers.Contract(place, [
  "function depositFor(address account) payable",
  "function scheduleUpgrade(uint32 version, uint64 height)",
], validator);
const parameters = "tuple(uint32 epoch, uint32 unbonding, uint32 jail, uint16 seats, uint16 maxCommission, uint16 maxCommissionChange, uint16 doubleSignSlash, uint16 downtimeSlash, uint16 bounty, uint8 window, uint8 maxMissed)";
const systemPlace = "0x5341484152410000000000000000000000000006";
const system = new ethers.Contract(systemPlace, [
  "function gasParameters() view returns (tuple(uint64 baseFeeFloor))",
  "function setGasParameters(tuple(uint64 baseFeeFloor) parameters)",
], validator);
const staking = new ethers.Contract(stakingPlace, [
  "function delegate(address validator) payable",
  `function parameters() view returns (${parameters})`,
  `function setParameters(${parameters} parameters)`,
  "event EpochBegan(uint64 indexed epoch, uint64 startedAt, uint32 seats)",
], validator);

const States = ["Pending", "Active", "Canceled", "Defeated", "Succeeded", "Queued", "Expired", "Executed"];
const seen = { states: [] };
const done = async (sending) => (await sending).wait();
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const coins = ethers.parseEther;

async function until(id, wanted) {
  for (;;) {
    const state = States[Number(await governor.state(id))];
    if (state === wanted) return seen.states.push(state);
    if (["Canceled", "Defeated", "Expired", "Executed"].includes(state)) throw new Error(`${state} instead of ${wanted}`);
    await pause(100);
  }
}

async function now() {
  return (await provider.getBlock("latest")).timestamp;
}

/** Makes a proposal of calls and brings it through; returns its identifier. */
async function live(calls, description, vote) {
  const content = [calls.map(([target]) => target), calls.map(() => 0n), calls.map(([, data]) => data)];
  const hash = ethers.id(description);
  const made = await done(governor.propose(...content, description));
  const created = made.logs.map((log) => governor.interface.parseLog(log)).find((log) => log?.name === "ProposalCreated");
  const id = created.args.proposalId;
  const encoded = ethers.AbiCoder.defaultAbiCoder().encode(["address[]", "uint256[]", "bytes[]", "bytes32"], [...content, hash]);
  seen.identifier = id === BigInt(ethers.keccak256(encoded)) && id === (await governor.hashProposal(...content, hash));
  await until(id, "Active");
  await vote(id);
  await until(id, "Succeeded");
  await done(governor.queue(...content, hash));
  await until(id, "Queued");
  const eta = Number(await governor.proposalEta(id));
  // Gas is estimated on the last final block.
  while ((await now()) < eta) await pause(100);
  await done(governor.execute(...content, hash));
  await until(id, "Executed");
  return id;
}

/** Seconds between epochs from a block on. */
async function epochs(from, count) {
  while ((await provider.getBlockNumber()) < from) await pause(100);
  for (;;) {
    const began = await staking.queryFilter(staking.filters.EpochBegan(), from, "latest");
    if (began.length > count) {
      const times = began.map((event) => Number(event.args.startedAt));
      return times.slice(1).map((time, index) => time - times[index]);
    }
    await pause(200);
  }
}

const validatorAddress = await validator.getAddress();
const voter = await delegator.getAddress();
await done(staking.connect(delegator).delegate(validatorAddress, { value: coins("400000") }));
await done(deposits.depositFor(validatorAddress, { value: coins("2000") }));

const functions = ["name()", "version()", "COUNTING_MODE()", "hashProposal(address[],uint256[],bytes[],bytes32)", "state(uint256)", "proposalThreshold()",
  "proposalSnapshot(uint256)", "proposalDeadline(uint256)", "proposalProposer(uint256)", "proposalEta(uint256)", "proposalNeedsQueuing(uint256)",
  "votingDelay()", "votingPeriod()", "quorum(uint256)", "getVotes(address,uint256)", "getVotesWithParams(address,uint256,bytes)",
  "hasVoted(uint256,address)", "propose(address[],uint256[],bytes[],string)", "queue(address[],uint256[],bytes[],bytes32)",
  "execute(address[],uint256[],bytes[],bytes32)", "cancel(address[],uint256[],bytes[],bytes32)", "castVote(uint256,uint8)",
  "castVoteWithReason(uint256,uint8,string)", "castVoteWithReasonAndParams(uint256,uint8,string,bytes)",
  "castVoteBySig(uint256,uint8,address,bytes)", "castVoteWithReasonAndParamsBySig(uint256,uint8,address,string,bytes,bytes)"];
const interfaceId = functions.reduce((sum, name) => sum ^ Number(governor.interface.getFunction(name).selector), 0) >>> 0;
seen.supports = await governor.supportsInterface(ethers.toBeHex(interfaceId, 4));
seen.counting = await governor.COUNTING_MODE();
seen.clock = await governor.CLOCK_MODE();

const before = await staking.parameters();
const start = await provider.getBlockNumber();
seen.epochsBefore = Math.min(...(await epochs(0, 3)));
const change = { ...before.toObject(), epoch: 5n };
const data = staking.interface.encodeFunctionData("setParameters", [change]);
const dearer = system.interface.encodeFunctionData("setGasParameters", [{ baseFeeFloor: 3_000_000_000n }]);
const id = await live([[stakingPlace, data], [systemPlace, dearer]], "# Epochs of five seconds, and gas at three gwei", async (id) => {
  await done(governor.castVoteWithReason(id, 2, "my delegators may decide"));
  const [, name, version, chainId, verifyingContract] = await governor.eip712Domain();
  const ballot = { proposalId: id, support: 1, voter, nonce: await governor.nonces(voter) };
  const types = { Ballot: [
    { name: "proposalId", type: "uint256" }, { name: "support", type: "uint8" },
    { name: "voter", type: "address" }, { name: "nonce", type: "uint256" },
  ] };
  const signature = await delegator.signer.signTypedData({ name, version, chainId, verifyingContract }, types, ballot);
  await done(governor.connect(relayer).castVoteBySig(id, 1, voter, signature));
});
const votes = await governor.proposalVotes(id);
seen.votes = [votes.againstVotes, votes.forVotes, votes.abstainVotes].map(ethers.formatEther);
const snapshot = await governor.proposalSnapshot(id);
seen.weights = await Promise.all([validatorAddress, voter].map(async (account) => ethers.formatEther(await governor.getVotes(account, snapshot))));
seen.quorum = ethers.formatEther(await governor.quorum(snapshot));
seen.hasVoted = await governor.hasVoted(id, voter);
seen.epoch = Number((await staking.parameters()).epoch);
const cast = await governor.queryFilter(governor.filters.VoteCast(), start, "latest");
seen.cast = cast.map((event) => [event.args.voter === voter, Number(event.args.support), ethers.formatEther(event.args.weight)]);
const executed = await governor.queryFilter(governor.filters.ProposalExecuted(), start, "latest");
seen.executed = executed.length === 1 && executed[0].args.proposalId === id;
// Some were of two seconds before, though a busy machine makes them longer; the one under way ends by the old
// rule or the new, those after it by the new.
// What a block sets is the base fee's floor from the next block on.
const baseFee = async (number) => ethers.formatUnits((await provider.getBlock(number)).baseFeePerGas, "gwei");
while ((await provider.getBlockNumber()) <= executed[0].blockNumber) await pause(100);
seen.baseFees = [await baseFee(executed[0].blockNumber), await baseFee(executed[0].blockNumber + 1)];
seen.floor = ethers.formatUnits((await system.gasParameters()).baseFeeFloor, "gwei");
seen.epochsAfter = Math.min(...(await epochs(executed[0].blockNumber + 1, 3)).slice(1));

let refusal;
try {
  const wrong = staking.interface.encodeFunctionData("setParameters", [{ ...change, seats: 0n }]);
  await governor.propose.staticCall([stakingPlace], [0n], [wrong], "no seats");
} catch (error) {
  refusal = error.data?.slice(0, 10);
}
seen.refused = refusal === ethers.id("ProposalWouldFail(uint256,bytes)").slice(0, 10);

seen.height = (await provider.getBlockNumber()) + 45;
const upgrade = deposits.interface.encodeFunctionData("scheduleUpgrade", [2, seen.height]);
await live([[place, upgrade]], "# Version 2", async (id) => done(governor.castVote(id, 1)));
provider.destroy();
console.log(JSON.stringify(seen));
