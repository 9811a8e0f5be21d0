// The TypeScript package as a stranger uses it, through an asset's life: licensed, bought, sold by
// signature, contributed to. Prints one JSON line. Arguments: RPC_URL.
import {
  ContributionTree, Derivatives, Kind, Missing, Pricing, Purpose, Relation, Template, actThrough, assetAccount, assetVersions,
  saharaEconomyReads, saharaEconomyWrites, saharaLocal,
  saharaMessages, saharaReads, saharaWrites,
} from "sahara-client";
import { createPublicClient, createWalletClient, http, parseEther, zeroAddress } from "viem";
import { mnemonicToAccount, privateKeyToAccount } from "viem/accounts";

const [url] = process.argv.slice(2);
const mnemonic = "test test test test test test test test test test test junk";
const reader = createPublicClient({ chain: saharaLocal, transport: http(url), pollingInterval: 50 })
  .extend(saharaReads)
  .extend(saharaEconomyReads);
const writer = (addressIndex) =>
  createWalletClient({ account: mnemonicToAccount(mnemonic, { addressIndex }), chain: saharaLocal, transport: http(url) })
    .extend(saharaWrites)
    .extend(saharaEconomyWrites)
    .extend(saharaMessages);
const [creator, buyer] = [writer(8), writer(9)];
const done = async (hash) => {
  const receipt = await reader.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`${hash} was reverted`);
  return receipt;
};

const base = {
  kind: Kind.dataset, contentHash: `0x${"33".repeat(32)}`, metadataURI: "data:application/json,{}", inputPrice: 0n, outputPrice: 0n,
  derivativeRoyalty: 1000, derivatives: Derivatives.open, edges: [], members: [], ownerUnits: 0n, isOpen: false,
};
const asset = await reader.registeredAsset(await creator.registerAsset(base));

// License: offered, missing before, bought, held.
const data = await reader.termsTemplate(Template.commercialRemix, parseEther("25"), 1000);
const terms = await reader.termsId(data);
await done(await creator.registerTerms(data));
await done(await creator.offerTerms(asset, terms));
const wanted = Purpose.training | Purpose.derivative;
const before = await reader.canUse(buyer.account.address, asset, wanted);
const quote = await reader.licenseQuote(terms);
const earnedBefore = await reader.getBalance({ address: creator.account.address });
const holder = buyer.account.address;
const license = await reader.boughtLicense(
  await buyer.buyLicense({ asset, terms, quantity: 1, holder, user: holder }),
);
const earned = (await reader.getBalance({ address: creator.account.address })) - earnedBefore;
const after = await reader.canUse(buyer.account.address, asset, wanted);

// Sale: signed, bought once.
await done(await creator.letMarketMove({ asset }));
const listing = {
  seller: creator.account.address, buyer: zeroAddress, startsAt: 0n, endsAt: 4_000_000_000n, referral: 0, refundSeconds: 0, nonce: 7n,
  items: [await reader.listingItem({ asset }, parseEther("100"))],
};
const signature = await creator.signListing(listing);
const sellerBefore = await reader.getBalance({ address: creator.account.address });
await done(await buyer.buyListing({ listing, signature }));
const sold = (await reader.getBalance({ address: creator.account.address })) - sellerBefore;
let refusal = "";
try {
  await buyer.buyListing({ listing, signature });
} catch (error) {
  refusal = error.walk((cause) => cause.data?.errorName !== undefined)?.data.errorName ?? String(error);
}

// Renewal: an hour is bought, and anyone pays two more.
const now = async () => (await reader.getBlock()).timestamp;
const refused = async (call) => {
  try {
    await call();
    return "";
  } catch (error) {
    return error.walk((cause) => cause.data?.errorName !== undefined)?.data.errorName ?? String(error);
  }
};
const thing = await reader.registeredAsset(await creator.registerAsset(base));
const hourly = { ...data, pricing: Pricing.subscription, price: parseEther("2"), period: 3600 };
const lease = await reader.termsId(hourly);
await done(await creator.registerTerms(hourly));
await done(await creator.offerTerms(thing, lease));
const leased = await reader.boughtLicense(
  await buyer.buyLicense({ asset: thing, terms: lease, quantity: 1, holder, user: zeroAddress }),
);
const { expiresAt } = await reader.license(leased);
const renewal = await reader.renewalQuote(leased, 2);
await done(await creator.renewLicense(leased, 2));
const longer = (await reader.license(leased)).expiresAt - expiresAt;

// Offers: one is taken back, one is accepted by the owner, who has let the market move nothing.
const inAnHour = (await now()) + 3600n;
const taken = await reader.madeOffer(await buyer.makeOffer({ asset: thing }, parseEther("30"), inAnHour));
await done(await buyer.cancelOffer(taken));
const offer = await reader.madeOffer(await buyer.makeOffer({ asset: thing }, parseEther("40"), inAnHour));
const offered = await reader.offer(offer);
const strange = await refused(() => creator.cancelOffer(offer));
const accepterBefore = await reader.getBalance({ address: creator.account.address });
const accepted = await done(await creator.acceptOffer(offer));
const gas = accepted.gasUsed * accepted.effectiveGasPrice;
const accepterGained = (await reader.getBalance({ address: creator.account.address })) - accepterBefore + gas;

// Auctions: one without bids is ended, in the other the first bidder is outbid and has everything back.
await done(await buyer.letMarketMove({ asset: thing }));
const unsold = await reader.openedAuction(await buyer.openAuction({ asset: thing }, parseEther("500"), inAnHour));
await done(await buyer.cancelAuction(unsold));
const auction = await reader.openedAuction(await buyer.openAuction({ asset: thing }, parseEther("50"), inAnHour));
const other = writer(7);
await done(await creator.bid(auction));
const least = await reader.leastBid(auction);
const low = await refused(() => other.bid(auction, least - 1n));
const outbidBefore = await reader.getBalance({ address: creator.account.address });
await done(await other.bid(auction, parseEther("60")));
const givenBack = (await reader.getBalance({ address: creator.account.address })) - outbidBefore;
const best = await reader.auction(auction);
const early = await refused(() => creator.settleAuction(auction));

// An asset's own account: paid by a stranger, emptied by the owner in two turns, and by nobody else.
const chest = await reader.registeredAsset(await creator.registerAsset(base));
const account = await assetAccount(reader, chest);
await done(await buyer.sendTransaction({ to: account, value: parseEther("5") }));
const payee = privateKeyToAccount(`0x${"5".repeat(64)}`).address;
const thief = await actThrough(buyer, chest, { to: payee, value: 1n }).catch((error) => error.message.includes("belongs to"));
await done(await actThrough(creator, chest, { to: payee, value: parseEther("2") }));
await done(await actThrough(creator, chest, { to: payee, value: parseEther("3") }));
const emptied = [String(await reader.getBalance({ address: payee })), String(await reader.getBalance({ address: account }))];
const edges = [{ parent: chest, relation: Relation.versionOf }];
const second = await reader.registeredAsset(await creator.registerAsset({ ...base, edges }));
const line = await assetVersions(reader, chest);
const isLine = line.number === 1n && line.latest === second && line.versions.join() === [chest, second].join();

// Contributions: a tree of five, the last of them made a member by somebody else.
const accounts = [1, 2, 3, 4, 5].map((n) => privateKeyToAccount(`0x${String(n).padStart(64, "7")}`).address);
const tree = new ContributionTree(accounts.map((contributor, n) => ({ contributor, units: BigInt(n + 1) })));
const dataset = await reader.registeredAsset(await creator.registerAsset({ ...base, isOpen: true }));
await done(await creator.commitContributions(dataset, tree.root));
await done(await creator.sealAsset(dataset));
await done(await buyer.payForUse(dataset, parseEther("15")));
await done(await buyer.activateContributions(dataset, [tree.activation(4)]));
const contributor = await reader.getBalance({ address: accounts[4] });
const { statements } = await reader.statement(accounts[4]);

// The same list has the same root in Rust.
const padded = (n) => `0x${n.toString(16).padStart(40, "0")}`;
const { root } = new ContributionTree([1, 2, 3].map((n) => ({ contributor: padded(n), units: BigInt(n) }))).root;

console.log(JSON.stringify({
  root,
  before: [before.isAllowed, before.missing === Missing.license], after: [after.isAllowed, after.license === license],
  quote: String(quote.total), earned: String(earned), owner: await reader.ownerOf(asset) === buyer.account.address,
  renewal: String(renewal.total), longer: Number(longer),
  offer: [String(offered.price), String(offered.fee), strange], accepted: String(accepterGained),
  newOwner: await reader.ownerOf(thing) === buyer.account.address,
  auction: [String(least), low, String(givenBack), best.bidder === other.account.address, String(best.price), early],
  account: [thief, ...emptied], isLine,
  sold: String(sold), refusal, contributor: String(contributor), units: String(statements[0].units), of: String(statements[0].poolUnits),
}));
