// The TypeScript package as a stranger uses it: registers a dataset and a model trained on it, pays
// for the model, reads who was paid, signs a key grant, brings what somebody without coin signed. Prints one JSON line. Arguments: RPC_URL.
import {
  Derivatives, Kind, Relation, addresses, assetsAbi, freeNonce, grantChannel, intentHash, intentOf, intentsAbi, relay, saharaLocal,
  saharaMessages, saharaReads, saharaWrites,
} from "sahara-client";
import { createPublicClient, createWalletClient, http, parseEther, recoverAddress } from "viem";
import { generatePrivateKey, mnemonicToAccount, privateKeyToAccount } from "viem/accounts";

const [url] = process.argv.slice(2);
const mnemonic = "test test test test test test test test test test test junk";
const account = (addressIndex) => mnemonicToAccount(mnemonic, { addressIndex });
const reader = createPublicClient({ chain: saharaLocal, transport: http(url) }).extend(saharaReads);
const writer = (index) =>
  createWalletClient({ account: account(index), chain: saharaLocal, transport: http(url) })
    .extend(saharaWrites)
    .extend(saharaMessages);
const [curator, trainer, buyer] = [writer(6), writer(7), writer(8)];

const base = {
  contentHash: `0x${"11".repeat(32)}`,
  metadataURI: "data:application/json,{}",
  inputPrice: 0n,
  outputPrice: 0n,
  derivativeRoyalty: 1000,
  derivatives: Derivatives.open,
  edges: [],
  members: [],
  ownerUnits: 0n,
  isOpen: false,
};
const dataset = await reader.registeredAsset(await curator.registerAsset({ ...base, kind: Kind.dataset }));
const edges = [{ parent: dataset, relation: Relation.trainedOn }];
const preview = await reader.preview(edges, 500, parseEther("1"));
const model = await reader.registeredAsset(
  await trainer.registerAsset({ ...base, kind: Kind.model, derivativeRoyalty: 500, edges }),
);
const owner = await reader.ownerOf(dataset);
const before = await reader.earnings(owner);
const hash = await buyer.payForUse(model, parseEther("1"));
const receipt = await reader.waitForTransactionReceipt({ hash, pollingInterval: 50 });
const payments = await reader.payments(hash);
const after = await reader.earnings(owner);

const grant = {
  payer: buyer.account.address, gateway: addresses.workers, keyId: `0x${"22".repeat(32)}`, maxTotal: 10n, maxPerDay: 5n,
  assets: [model], validUntil: 1_900_000_000n, nonce: 1n,
};
const signer = await recoverAddress({ hash: grantChannel(saharaLocal.id, grant), signature: await buyer.signKeyGrant(grant) });

// Somebody who holds nothing but a deposit signs, the buyer brings it.
const earner = createWalletClient({
  account: privateKeyToAccount(generatePrivateKey()), chain: saharaLocal, transport: http(url),
}).extend(saharaMessages);
const her = earner.account.address;
await reader.waitForTransactionReceipt({ hash: await buyer.fund(her, parseEther("2")), pollingInterval: 50 });
const intent = intentOf({
  account: her, protocol: "channels", functionName: "withdraw", args: [parseEther("2")],
  nonce: await freeNonce(reader, her), maxFee: parseEther("0.01"), validUntil: 4_000_000_000n,
});
const brought = await relay(buyer, intent, await earner.signIntent(intent));
const bringing = await reader.waitForTransactionReceipt({ hash: brought, pollingInterval: 50 });
const fee = parseEther("2") - (await reader.getBalance({ address: her }));
const chainsHash = await reader.readContract({
  address: addresses.intents, abi: intentsAbi, functionName: "intentHash", args: [intent],
});

let refusal = "";
try {
  await reader.simulateContract({
    address: addresses.assets, abi: assetsAbi, functionName: "setPrices", args: [dataset, 1n, 1n], account: buyer.account,
  });
} catch (error) {
  refusal = error.walk((cause) => cause.data?.errorName !== undefined)?.data.errorName ?? String(error);
}
const text = (value) => JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? String(item) : item)));
console.log(JSON.stringify({
  dataset: String(dataset), model: String(model), status: receipt.status, refusal,
  preview: text(preview), payments: text(payments.map(({ account, ...part }) => ({ ...part, atOnce: account !== undefined }))), earned: String(after.balance - before.balance),
  signedByPayer: signer === buyer.account.address,
  intent: {
    action: intent.action, nonce: String(intent.nonce), next: String(await freeNonce(reader, her)),
    sameHash: chainsHash === intentHash(saharaLocal.id, intent),
    isRepaid: fee > 0n && fee <= bringing.gasUsed * bringing.effectiveGasPrice,
  },
}));
