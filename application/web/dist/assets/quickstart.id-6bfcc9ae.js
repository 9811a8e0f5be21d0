const a=`# Mulai cepat

Lima menit dari program sampai jawaban yang para pembuatnya sudah dibayar. Yang perlu: program \`sahara\` yang sudah dibangun
(\`cargo xtask up\` membangun sekaligus menjalankannya) dan Python 3 dengan pip untuk mengambil bobot model pertama kali.

## 1. Jalankan jaringan

\`\`\`console
sahara up
\`\`\`

Perintah ini menjalankan satu validator, satu pekerja yang melayani model bahasa kecil, dan satu gateway, semuanya di mesin
ini. Baris terakhir menyebut akun yang sudah berisi koin dan sebuah kunci API. Buka terminal lain untuk langkah berikutnya.

\`\`\`sh
sahara status
\`\`\`
\`\`\`text
gateway
ok
\`\`\`

## 2. Bertanya

\`\`\`sh
sahara chat "Sebutkan tiga pulau di Indonesia." --max-tokens 24
\`\`\`
\`\`\`text
worker
paid in block
\`\`\`

Jawaban muncul kata demi kata. Di bawahnya ada tagihan: berapa yang diterima pekerja, gateway, dan setiap pembuat model,
data, serta agen, dan transaksi yang membayar mereka.

## 3. Melihat

Buka alamat gateway di peramban (<http://127.0.0.1:8080>): obrolan yang sama tanpa dompet, pasar aset, penjelajah, dan
setiap pembayaran begitu tiba. Tombol \`ID\` di kanan atas mengganti bahasa. Lanjutkan dengan
[bertanya dan memeriksa](ask.md) atau [membuat dan menjual](create.md) (dalam bahasa Inggris).
`;export{a as default};
