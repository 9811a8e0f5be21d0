/**
 * Secrets of this browser. They lie in its database encrypted by a key that scripts can use and cannot
 * read, so that no copy of the database and no extension that reads storage has them in clear.
 */
import { Problem } from "./api.ts";

const NAME = "sahara";
const STORE = "vault";

interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database does not open"));
  });
}

async function run<T>(mode: IDBTransactionMode, what: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = what(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(request.error ?? transaction.error ?? new Error("the browser's database refused"));
    });
  } finally {
    database.close();
  }
}

/** Writes where nothing is yet. Another tab may have been quicker: then what it wrote stays. */
async function add(value: unknown, name: string): Promise<void> {
  try {
    await run("readwrite", (store) => store.add(value, name));
  } catch (problem) {
    if (!(problem instanceof DOMException && problem.name === "ConstraintError")) throw problem;
  }
}

async function sealingKey(): Promise<CryptoKey> {
  const look = (): Promise<CryptoKey | undefined> => run("readonly", (store) => store.get("sealing-key"));
  const known = await look();
  if (known) return known;
  await add(await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]), "sealing-key");
  const kept = await look();
  if (!kept) throw new Error("the browser's database keeps nothing");
  return kept;
}

async function seal(secret: string): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await sealingKey(), new TextEncoder().encode(secret)) };
}

export async function keep(name: string, secret: string): Promise<void> {
  const sealed = await seal(secret);
  await run("readwrite", (store) => store.put(sealed, name));
}

/** Keeps a secret where there is none; answers the one that is kept. */
export async function keepFirst(name: string, secret: string): Promise<string> {
  await add(await seal(secret), name);
  const kept = await recall(name);
  if (kept === undefined) throw new Error("the browser's database keeps nothing");
  return kept;
}

/** None when there is none: who cannot look is told so by an error, and by another one when it does not open. */
export async function recall(name: string): Promise<string | undefined> {
  const sealed = await run<Sealed | undefined>("readonly", (store) => store.get(name));
  if (!sealed) return undefined;
  const key = await sealingKey();
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv }, key, sealed.data).catch(() => {
    throw new Problem("what this browser keeps cannot be opened", "sealed", 0);
  });
  return new TextDecoder().decode(plain);
}

/** Forgets everything, and what it was sealed with. */
export const forgetAll = (): Promise<unknown> => run("readwrite", (store) => store.clear());
