import type { everywhere as en } from "../en/everywhere.ts";

/** As `../en/everywhere.ts`, in Bahasa Indonesia. */
export const everywhere: Record<keyof typeof en, string> = {
  "amount.expected": "Isi jumlah, misalnya 1,25",
  "any": "Semua",
  "balance": "Saldo",
  "cancel": "Batal",
  "chart.most": "tertinggi",
  "chart.table": "Sebagai tabel",
  "close": "Tutup",
  "creator": "Pembuat",
  "fee": "Biaya protokol",
  "final": "Final",
  "hash": "Hash",
  "more": "Tampilkan lagi",
  "next": "Lanjut",
  "owner": "Pemilik",
  "price": "Harga",
  "seller": "Penjual",
  "show": "Tampilkan",
  "to": "Kepada",
  "until": "Sampai",
};
