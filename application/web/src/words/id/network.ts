import type { network as en } from "../en/network.ts";

/** As `../en/network.ts`, in Bahasa Indonesia. */
export const network: Record<keyof typeof en, string> = {
  "network.bond": "Jaminan",
  "network.chainId": "Id rantai",
  "network.class": "Kelas",
  "network.context": "Konteks",
  "network.down": "Tidak menjawab",
  "network.endpoint": "Alamat layanan",
  "network.gateway": "Gateway",
  "network.genesis": "Genesis",
  "network.lag": "Blok tertinggal di indeks",
  "network.lead": "Keadaan jaringan ini saat ini.",
  "network.models": "Model dilayani",
  "network.noNode": "Tanpa node",
  "network.ok": "Berjalan",
  "network.operators": "Operator",
  "network.pace": "Jarak antarblok",
  "network.paidByDay": "Dibayar per hari",
  "network.requestsByDay": "Permintaan per hari",
  "network.role": "Peran",
  "network.unsettled": "Kanal belum dilunasi",
  "network.version": "Versi",
  "notices": "Diputuskan bagi semua yang mengoperasikan",
  "notices.paused": "Yang menuju {protocol} dihentikan sampai {time}. Yang keluar darinya tetap berjalan.",
  "notices.upgrade": "Mulai blok {block} setiap node memerlukan versi {version}: tersisa sekitar {span}.",
};
