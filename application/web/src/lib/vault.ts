/**
 * Secrets of this browser. They lie in its database encrypted by a key that scripts can use and cannot
 * read, so that no copy of the database and no extension that reads storage has them in clear.
 */

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
      transaction.onerror = () => reject(transaction.error ?? new Error("the browser's database refused"));
    });
  } finally {
    database.close();
  }
}

async function sealingKey(): Promise<CryptoKey> {
  const known = await run<CryptoKey | undefined>("readonly", (store) => store.get("sealing-key"));
  if (known) return known;
  const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await run("readwrite", (store) => store.put(fresh, "sealing-key"));
  return fresh;
}

export async function keep(name: string, secret: string): Promise<void> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await sealingKey(), new TextEncoder().encode(secret));
  await run("readwrite", (store) => store.put({ iv, data } satisfies Sealed, name));
}

export async function recall(name: string): Promise<string | undefined> {
  const sealed = await run<Sealed | undefined>("readonly", (store) => store.get(name));
  if (!sealed) return undefined;
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv }, await sealingKey(), sealed.data);
  return new TextDecoder().decode(plain);
}

export const forget = (name: string): Promise<unknown> => run("readwrite", (store) => store.delete(name));
