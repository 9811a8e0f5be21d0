import { type Account, type Address, type Chain, type Client, type Hex, type Transport, parseAbi, zeroHash } from "viem";
import { getCode, readContract, waitForTransactionReceipt, writeContract } from "viem/actions";
import { addresses, assetsAbi } from "./generated.js";

/** Where ERC-6551 puts its registry, and the account's code that assets have. */
const registry: Address = "0x000000006551c19487814612e58FE06813775758";
const implementation: Address = "0x5341484152410000000000000000000000006551";

const registryAbi = parseAbi([
  "function createAccount(address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId) returns (address)",
]);
const accountAbi = parseAbi([
  "function execute(address to, uint256 value, bytes data, uint8 operation) payable returns (bytes)",
]);

/** What an asset's own account does. */
export interface AccountCall {
  /** Who is called, or paid. */
  to: Address;
  /** The account's coin that is sent along, base units. */
  value?: bigint;
  /** Call data, as viem's `encodeFunctionData` makes it; without it coin is sent only. */
  data?: Hex;
}

/** The versions of an asset, oldest first, and which of them it is. */
export async function assetVersions(client: Client<Transport, Chain | undefined>, asset: bigint) {
  const assets = { address: addresses.assets, abi: assetsAbi } as const;
  const [first, number, latest] = await readContract(client, { ...assets, functionName: "versionOf", args: [asset] });
  const versions: bigint[] = [];
  for (;;) {
    const args = [asset, BigInt(versions.length), 100n] as const;
    const [page, total] = await readContract(client, { ...assets, functionName: "history", args });
    versions.push(...page);
    if (page.length === 0 || BigInt(versions.length) >= total) return { first, number, latest, versions };
  }
}

/** The asset's own account (ERC-6551): it receives from the asset's registration on. */
export const assetAccount = (client: Client<Transport, Chain | undefined>, asset: bigint): Promise<Address> =>
  readContract(client, { address: addresses.assets, abi: assetsAbi, functionName: "accountOf", args: [asset] });

/**
 * Has an asset's own account do something, for the sender that owns the asset; places the account's code before if nobody has, with
 * a transaction of its own. Whatever it does voids the listings of its asset.
 */
export async function actThrough(client: Client<Transport, Chain, Account>, asset: bigint, call: AccountCall): Promise<Hex> {
  const { account, chain } = client;
  const owner = await readContract(client, { address: addresses.assets, abi: assetsAbi, functionName: "ownerOf", args: [asset] });
  if (owner.toLowerCase() !== account.address.toLowerCase()) {
    throw new Error(`asset ${asset} belongs to ${owner}, not to ${account.address}`);
  }
  const address = await assetAccount(client, asset);
  if ((await getCode(client, { address })) === undefined) {
    const args = [implementation, zeroHash, BigInt(chain.id), addresses.assets, asset] as const;
    const made = { address: registry, abi: registryAbi, functionName: "createAccount", args, account, chain } as const;
    await waitForTransactionReceipt(client, { hash: await writeContract(client, made), pollingInterval: 50 });
  }
  const args = [call.to, call.value ?? 0n, call.data ?? "0x", 0] as const;
  return writeContract(client, { address, abi: accountAbi, functionName: "execute", args, account, chain });
}
