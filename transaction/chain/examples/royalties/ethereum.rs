//! What Ethereum's own prices sell: precompiles called in a loop, the dearest work that a gas buys.

use crate::{Fault, chain::Call};
use alloy_primitives::{Address, Bytes, U256, hex};
use secp256k1::{Message, SECP256K1, SecretKey};

/// Calls the precompile that the second word of the call data names as often as the first says, with the
/// rest of it; 41 bytes, behind the eleven that deploy them.
pub(crate) const LOOP: &str = concat!(
    "602980600b6000396000f3",
    "60403603806040600037600035", // copy the input; the count
    "5b8015602757",               // until it is zero
    "60006000836000602035",
    "5afa",
    "50", // call
    "60019003600d56",
    "5b00", // one less
);

/// A precompile, how often one transaction calls it, and its input.
pub(crate) struct Sold {
    pub(crate) name: &'static str,
    address: u64,
    count: u64,
    input: Vec<u8>,
}

impl Sold {
    /// The call of the loop at an address.
    pub(crate) fn call(&self, to: Address, gas: u64) -> Call {
        let mut data = U256::from(self.count).to_be_bytes_vec();
        data.extend(U256::from(self.address).to_be_bytes::<32>());
        data.extend(&self.input);
        Call { to: Some(to), data: Bytes::from(data), gas, value: 0 }
    }
}

/// The work that is known to be cheap for what it takes.
pub(crate) fn sold() -> Result<Vec<Sold>, Fault> {
    Ok(vec![
        Sold { name: "200 ecrecover", address: 1, count: 200, input: recovery()? },
        Sold { name: "20 modexp of 256 bytes", address: 5, count: 20, input: exponent() },
        Sold { name: "10 pairings on bn254", address: 8, count: 10, input: pairing()? },
        Sold { name: "20 evaluations on KZG", address: 10, count: 20, input: evaluation()? },
        Sold { name: "10 blake2f of 50,000 rounds", address: 9, count: 10, input: rounds(50_000) },
    ])
}

fn recovery() -> Result<Vec<u8>, Fault> {
    let key = SecretKey::from_byte_array([7; 32])?;
    let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest([9; 32]), &key);
    let (id, bytes) = signed.serialize_compact();
    let v = u64::try_from(27 + i32::from(id))?;
    Ok([&[9; 32], &U256::from(v).to_be_bytes::<32>(), bytes.as_slice()].concat())
}

/// EIP-198: lengths of base, exponent and modulus, then these; an exponent of 32 bytes, all ones.
fn exponent() -> Vec<u8> {
    let lengths = [256_u64, 32, 256].map(|length| U256::from(length).to_be_bytes::<32>());
    [lengths.concat(), vec![0xfd; 256], vec![0xff; 32], vec![0xfb; 256]].concat()
}

/// EIP-197: the generators of both groups.
fn pairing() -> Result<Vec<u8>, Fault> {
    const G2: &str = concat!(
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2",
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b",
        "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
    );
    let g1 = [1_u64, 2].map(|place| U256::from(place).to_be_bytes::<32>()).concat();
    Ok([g1, hex::decode(G2)?].concat())
}

/// EIP-4844: that the polynomial x, committed to by the ceremony's second point, is 5 at 5; the quotient is 1.
fn evaluation() -> Result<Vec<u8>, Fault> {
    const HASH: &str = "014fa3bb4018340ca2fa8eb239e23af6ba465f6d5bc31db78988445da078db76";
    const COMMITMENT: &str = concat!(
        "ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28",
        "e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81",
    );
    const GENERATOR: &str = concat!(
        "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905",
        "a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
    );
    let five = U256::from(5).to_be_bytes::<32>();
    let points = [hex::decode(COMMITMENT)?, hex::decode(GENERATOR)?].concat();
    Ok([hex::decode(HASH)?, [five, five].concat(), points].concat())
}

/// EIP-152: rounds, state, message, offsets, whether it is the last block.
fn rounds(count: u32) -> Vec<u8> {
    [count.to_be_bytes().as_slice(), &[5; 208], &[1]].concat()
}
