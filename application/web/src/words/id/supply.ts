import type { supply as en } from "../en/supply.ts";

/** As `../en/supply.ts`, in Bahasa Indonesia. */
export const supply: Record<keyof typeof en, string> = {
  "move.0": "Diumumkan",
  "move.1": "Selesai",
  "move.2": "Ditarik",
  "supply.amount": "Jumlah",
  "supply.beneficiary": "Untuk",
  "supply.byMonth": "Bebas per bulan (UTC)",
  "supply.calendar": "Kalender pembukaan",
  "supply.earliest": "Paling cepat",
  "supply.free": "Seluruhnya bebas, pada akhir setiap bulan (UTC)",
  "supply.from": "Mulai",
  "supply.lead": "Sepuluh miliar, tetap sejak awal. Setiap node memeriksa setiap blok bahwa tidak ada yang bertambah atau hilang.",
  "supply.locked": "Masih terkunci",
  "supply.lockedShare": "Bagian dari semua",
  "supply.next": "Pembukaan berikut",
  "supply.noNotices": "Tidak ada pemindahan dana yang diumumkan.",
  "supply.notices": "Pemindahan yang diumumkan",
  "supply.released": "Sudah dibayar",
  "supply.schedules": "Jadwal",
  "supply.total": "Pasokan",
};
