import type { account as en } from "../en/account.ts";

/** As `../en/account.ts`, in Bahasa Indonesia. */
export const account: Record<keyof typeof en, string> = {
  "account": "Akun",
  "account.assets": "Aset yang dimiliki",
  "account.browserKey": "Pakai kunci di peramban ini",
  "account.browserKeyWhy": "Dibuat di sini, disimpan terenkripsi di peramban ini, tidak pernah dikirim. Bisa diekspor di pengaturan.",
  "account.choose": "Bagaimana Anda ingin menandatangani?",
  "account.history": "Riwayat",
  "account.inBrowser": "Kunci di peramban ini. Ekspor di pengaturan bila menyimpan sesuatu yang berharga.",
  "account.inWallet": "Di {name}",
  "account.leave": "Keluar",
  "account.noAssets": "Akun ini tidak memiliki aset.",
  "account.ofAsset": "Akun milik aset #{asset}",
  "account.open": "Aset dan riwayat saya",
  "account.protocol": "Protokol",
  "account.why": "Membaca tidak perlu apa-apa. Untuk membeli, menerbitkan, staking, atau membayar jawaban, harus ada yang menandatangani.",
  "account.yours": "Akun Anda",
  "signin.page": "Halaman",
  "signin.title": "Masuk",
  "signin.warning": "Tanda tangan ini membuktikan akun itu milik Anda. Tidak ada yang dipindahkan. Tanda tangani hanya untuk halaman yang disebut di sini.",
  "wallet.elsewhere": "Dompet Anda terhubung ke jaringan lain. Tidak ada yang bisa ditandatangani sebelum pindah ke Sahara.",
  "wallet.none": "Tidak ada dompet di peramban ini. Kunci peramban juga bisa dipakai.",
  "wallet.switch": "Pindah ke Sahara",
};
