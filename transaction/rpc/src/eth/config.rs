//! `eth_config` (EIP-7910): the rules of this chain, for tools that compare.

use crate::{error::Failure, node::Node};
use alloy_primitives::{Address, Bytes, U64, address, hex};
use jsonrpsee::proc_macros::rpc;
use serde_json::{Value, json};

/// The precompiled contracts of Osaka by their EIP-7910 names.
const PRECOMPILES: [(&str, u16); 18] = [
    ("ECREC", 0x01),
    ("SHA256", 0x02),
    ("RIPEMD160", 0x03),
    ("ID", 0x04),
    ("MODEXP", 0x05),
    ("BN254_ADD", 0x06),
    ("BN254_MUL", 0x07),
    ("BN254_PAIRING", 0x08),
    ("BLAKE2F", 0x09),
    ("KZG_POINT_EVALUATION", 0x0a),
    ("BLS12_G1ADD", 0x0b),
    ("BLS12_G1MSM", 0x0c),
    ("BLS12_G2ADD", 0x0d),
    ("BLS12_G2MSM", 0x0e),
    ("BLS12_PAIRING_CHECK", 0x0f),
    ("BLS12_MAP_FP_TO_G1", 0x10),
    ("BLS12_MAP_FP2_TO_G2", 0x11),
    ("P256VERIFY", 0x100),
];

/// EIP-2935, the one system contract that is live here.
const HISTORY_STORAGE: Address = address!("0000f90827f1c53a10cb7a02335b175320002935");

#[rpc(server, namespace = "eth")]
pub(crate) trait ConfigApi {
    #[method(name = "config")]
    fn config(&self) -> Result<Value, Failure>;
}

#[derive(Debug)]
pub(crate) struct Config(pub(crate) Node);

impl ConfigApiServer for Config {
    fn config(&self) -> Result<Value, Failure> {
        let precompiles: serde_json::Map<String, Value> = PRECOMPILES
            .iter()
            .map(|(name, number)| ((*name).to_owned(), json!(precompile(*number))))
            .collect();
        // EIP-2124: without forks to come, the id is the checksum of the genesis hash.
        let fork_id = crc32(self.0.store().genesis_hash().as_slice()).to_be_bytes();
        Ok(json!({
            "current": {
                "activationTime": 0,
                "blobSchedule": { "baseFeeUpdateFraction": 1, "max": 0, "target": 0 },
                "chainId": U64::from(self.0.rules().chain_id()),
                "forkId": Bytes::copy_from_slice(&fork_id),
                "precompiles": precompiles,
                "systemContracts": { "HISTORY_STORAGE_ADDRESS": HISTORY_STORAGE },
            },
            "next": null,
            "last": null,
        }))
    }
}

fn precompile(number: u16) -> String {
    let mut bytes = [0; 20];
    let [.., high, low] = &mut bytes;
    [*high, *low] = number.to_be_bytes();
    hex::encode_prefixed(bytes)
}

/// CRC-32 (IEEE), bit by bit: it is needed once for 32 bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    let add = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum));
    !bytes.iter().fold(u32::MAX, add)
}

#[cfg(test)]
mod tests {
    use super::{crc32, precompile};

    #[test]
    fn checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn precompile_is_an_address() {
        assert_eq!(precompile(0x100), "0x0000000000000000000000000000000000000100");
    }
}
