//! `sahara key revoke` and `sahara key close`: a payer's own transactions; no gateway is asked.

use super::{Record, Standing, standing::State};
use crate::{
    cli::Doing,
    commands::act::Act,
    failure::Failure,
    output::{Format, from_now, now, utc},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{CHANNELS, IChannels};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, B256, Timestamp};
use serde::Serialize;

#[derive(Serialize)]
struct Ended {
    key_id: B256,
    channel: B256,
    payer: Address,
    transaction: B256,
    block: u64,
    /// What returns to the payer's free deposit, less what is collected until then.
    returns: Amount,
    /// Already collected, everyone's part together.
    collected: Amount,
    /// From when on the rest can be returned; absent when nothing was set aside.
    closable_at: Option<u64>,
}

#[derive(Serialize)]
struct Closed {
    key_id: B256,
    channel: B256,
    payer: Address,
    transaction: B256,
    block: u64,
    /// Returned to the payer's free deposit.
    returned: Amount,
}

/// Ends a key now.
pub(super) async fn revoke(
    key: &str,
    doing: &Doing,
    session: &Session,
    format: Format,
) -> Result<()> {
    let record = Record::expect(&session.places, key)?;
    let client = client(session, &record).await?;
    let payer = session.key_of(&doing.signer, record.grant.payer).await?;
    let call = IChannels::revokeCall { grant: record.grant.clone() };
    let act = Act::of(doing, CHANNELS, Amount::ZERO);
    let outcome = act.perform_as(&payer, session, &call, format).await?;
    let Some(outcome) = outcome else { return Ok(()) };
    let standing = Standing::read(&client, &record).await?;
    let ended = Ended {
        key_id: record.key_id,
        channel: record.channel(),
        payer: record.grant.payer,
        transaction: outcome.hash,
        block: outcome.block_number,
        returns: standing.set_aside,
        collected: standing.collected,
        closable_at: standing.closable_at,
    };
    format.print(&ended, |ended| revoked_text(ended, &record.label()))
}

fn revoked_text(ended: &Ended, label: &str) -> String {
    let done = format!(
        "revoked, final in block {}: {}\nThe key buys nothing any more.",
        ended.block, ended.transaction
    );
    let Some(at) = ended.closable_at.map(Timestamp) else {
        return format!("{done} Nothing was set aside for it, so nothing has to return.");
    };
    format!(
        "{done}\n{} SAHARA were collected; {} SAHARA are still set aside. They return to the deposit of {}, less \
         what the gateway collects until then for work done before,\nfrom {} on ({}): `sahara key close {label}`",
        ended.collected,
        ended.returns,
        ended.payer,
        utc(at),
        from_now(at, now())
    )
}

/// Returns what was not collected, after the delay.
pub(super) async fn close(
    key: &str,
    doing: &Doing,
    session: &Session,
    format: Format,
) -> Result<()> {
    let record = Record::expect(&session.places, key)?;
    let client = client(session, &record).await?;
    let before = Standing::read(&client, &record).await?;
    refuse_early(&before, &record.label())?;
    let caller = session.key_of(&doing.signer, record.grant.payer).await?;
    let call = IChannels::closeCall { channelId: record.channel() };
    let act = Act::of(doing, CHANNELS, Amount::ZERO);
    let outcome = act.perform_as(&caller, session, &call, format).await?;
    let Some(outcome) = outcome else { return Ok(()) };
    let returned = outcome.events::<IChannels::Closed>();
    let returned = returned.first().map(|event| Amount::from_u128(event.data.returned.to()));
    let closed = Closed {
        key_id: record.key_id,
        channel: record.channel(),
        payer: record.grant.payer,
        transaction: outcome.hash,
        block: outcome.block_number,
        returned: returned.unwrap_or_default(),
    };
    format.print(&closed, |closed| {
        format!(
            "closed, final in block {}: {}\n{} SAHARA returned to the deposit of {}; `sahara wallet withdraw` takes them out.",
            closed.block, closed.transaction, closed.returned, closed.payer
        )
    })
}

/// Says when, before anything is signed.
fn refuse_early(standing: &Standing, label: &str) -> Result<()> {
    let text = match (standing.state, standing.closable_at.map(Timestamp)) {
        (State::Closable, _) => return Ok(()),
        (State::Closing, Some(at)) => format!(
            "the gateway has until {} ({}) to collect for work done before: close it then",
            utc(at),
            from_now(at, now())
        ),
        (State::Closed, _) => String::from("this key's channel is closed, the rest was returned"),
        (State::Unused | State::Revoked, _) => {
            String::from("nothing is set aside for this key: there is nothing to return")
        }
        _ => format!("this key was not revoked: `sahara key revoke {label}` comes first"),
    };
    Err(Failure::refused(text))
}

/// A node of the chain that the grant was signed for.
async fn client(session: &Session, record: &Record) -> Result<ChainClient> {
    let client = session.client()?;
    let found = client.chain_id().await.map_err(refused)?;
    if found != record.chain_id {
        return Err(Failure::refused(format!(
            "this key was signed for chain {}, the node is of chain {found}: name one with --rpc",
            record.chain_id
        )));
    }
    Ok(client)
}
