// viem and ethers against the node: reads, a transfer with each, blocks with every kind of
// transaction. Prints one JSON line. Arguments: RPC_URL.
import { createPublicClient, createWalletClient, defineChain, http, parseEther } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { ethers } from "ethers";

const [url] = process.argv.slice(2);
const mnemonic = "test test test test test test test test test test test junk";
const chain = defineChain({
  id: 724272,
  name: "Sahara local",
  nativeCurrency: { name: "Sahara", symbol: "SAHARA", decimals: 18 },
  rpcUrls: { default: { http: [url] } },
  contracts: { multicall3: { address: "0xca11bde05977b3631167028862be2a173976ca11" } },
});
const to = "0x00000000000000000000000000000000000a11ce";
const coin = "0x5341484152410000000000000000000000000001";
const abi = [
  { type: "function", name: "balanceOf", stateMutability: "view", inputs: [{ name: "a", type: "address" }], outputs: [{ type: "uint256" }] },
  { type: "function", name: "totalSupply", stateMutability: "view", inputs: [], outputs: [{ type: "uint256" }] },
];

const seen = {};
const reader = createPublicClient({ chain, transport: http() });
const writer = createWalletClient({ account: mnemonicToAccount(mnemonic, { addressIndex: 8 }), chain, transport: http() });
seen.chainId = await reader.getChainId();
const hash = await writer.sendTransaction({ to, value: parseEther("1.5") });
const receipt = await reader.waitForTransactionReceipt({ hash });
seen.viem = { status: receipt.status, balance: String(await reader.getBalance({ address: to })) };
const block = await reader.getBlock({ blockNumber: receipt.blockNumber, includeTransactions: true });
seen.types = block.transactions.map((transaction) => transaction.type);
const [supply, balance] = await reader.multicall({
  contracts: [
    { address: coin, abi, functionName: "totalSupply" },
    { address: coin, abi, functionName: "balanceOf", args: [to] },
  ],
  allowFailure: false,
});
seen.multicall = { supply: String(supply), balance: String(balance) };

const provider = new ethers.JsonRpcProvider(url, undefined, { polling: true, pollingInterval: 100 });
const wallet = ethers.HDNodeWallet.fromPhrase(mnemonic, undefined, "m/44'/60'/0'/0/9").connect(provider);
const sent = await wallet.sendTransaction({ to, value: ethers.parseEther("0.5") });
const mined = await sent.wait();
const whole = await provider.getBlock(mined.blockNumber, true);
seen.ethers = { status: mined.status, balance: String(await provider.getBalance(to)), transactions: whole.transactions.length };
provider.destroy();
console.log(JSON.stringify(seen));
