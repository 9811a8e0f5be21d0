//! A stranger writes TypeScript: registers, links, previews, pays, signs, reads who was paid.

use eyre::Result;
use sahara_scenarios::{Network, Options, node};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn package_registers_pays_and_reads() -> Result<()> {
    let network = Network::start(Options { demo: false, ..Options::default() })?;
    let seen = node("typescript.mjs", &[&network.rpc(0)?.url], &[])?;
    let (own, above) = ("900000000000000000", "100000000000000000");
    assert_eq!(
        seen,
        json!({
            "dataset": "1",
            "model": "2",
            "status": "success",
            "refusal": "NotOwner",
            // 10 % go to the dataset; of the 50 % cap, 10 and the model's own 5 % are taken.
            "preview": {
                "parts": [
                    { "asset": "0", "share": 9_000, "amount": own },
                    { "asset": "1", "share": 1_000, "amount": above },
                ],
                "room": 3_500,
            },
            "payments": [
                { "asset": "1", "source": "2", "amount": above, "atOnce": true },
                { "asset": "2", "source": "2", "amount": own, "atOnce": true },
            ],
            "earned": above,
            "signedByPayer": true,
            "intent": {
                "action": "channels.withdraw(uint256)",
                "nonce": "0",
                "next": "1",
                "sameHash": true,
                "isRepaid": true,
            },
        })
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn package_licenses_sells_and_contributes() -> Result<()> {
    let network = Network::start(Options { demo: false, ..Options::default() })?;
    let seen = node("economy.mjs", &[&network.rpc(0)?.url], &[])?;
    assert_eq!(
        seen,
        json!({
            "root": "0x68bf4c73f79df52963c04942ce2744a0779f3e0b35cf688601abc6c1bfce31b9",
            "before": [false, true],
            "after": [true, true],
            // 25 SAHARA and a fee of 1 %; the creator alone earns the price.
            "quote": "25250000000000000000",
            "earned": "25000000000000000000",
            "owner": true,
            // The royalty of 10 % goes through the asset, which is the seller's own until it is sold.
            "account": [true, "5000000000000000000", "0"],
            "isLine": true,
            "sold": "100000000000000000000",
            "refusal": "NonceSpent",
            // Two hours at 2 SAHARA, and 1 %.
            "renewal": "4040000000000000000",
            "longer": 7_200,
            "offer": ["40000000000000000000", "400000000000000000", "NotBidder"],
            // The royalty is the seller's own, again.
            "accepted": "40000000000000000000",
            "newOwner": true,
            // 5 % more than 50 is the least; whoever is outbid has 50 and the fee back.
            "auction": [
                "52500000000000000000", "BidTooLow", "50500000000000000000", true,
                "60000000000000000000", "AuctionRunning",
            ],
            // 5 of 15 units of 15 SAHARA.
            "contributor": "5000000000000000000",
            "units": "5",
            "of": "15",
        })
    );
    Ok(())
}
