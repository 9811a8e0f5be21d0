//! The power fails at four validators at once, on a file system that is real.
//!
//! ext4 can be told to stop as if it had no power: from one moment on nothing reaches the disk any more, what
//! was written and not synced is lost with it, and every call of a program fails. Mounted again it is what a
//! machine finds after a power cut. `kill -9` shows nothing of this: what a killed process wrote, the kernel
//! has.

use crate::{Account, Dice, Steady, Testnet, nothing_is_lost, pass};
use alloy_primitives::B256;
use eyre::{Result, WrapErr, ensure};
use std::{fs::File, path::Path, process::Command};

const HOSTS: [u16; 4] = [0, 1, 2, 3];

/// Bytes of the disk: a sparse file.
const SIZE: u64 = 4 << 30;

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`: what the journal holds in memory is lost too.
const SHUT_DOWN: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

/// A disk in a file, mounted until it is dropped.
struct Disk<'a> {
    image: &'a Path,
    at: &'a Path,
}

impl<'a> Disk<'a> {
    fn new(image: &'a Path, at: &'a Path) -> Result<Self> {
        File::create(image)?.set_len(SIZE)?;
        system(Command::new("mkfs.ext4").arg("-q").arg(image))?;
        std::fs::create_dir(at)?;
        let disk = Self { image, at };
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<()> {
        system(Command::new("mount").args(["-o", "loop"]).arg(self.image).arg(self.at))
    }

    fn unmount(&self) -> Result<()> {
        system(Command::new("umount").arg(self.at))
    }

    /// As a power supply does.
    fn cut(&self) -> Result<()> {
        system(Command::new("python3").args(["-c", SHUT_DOWN]).arg(self.at))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // It may have failed while it was not mounted.
        drop(self.unmount());
    }
}

/// Cuts the power so many times under load, at moments that the seed says.
///
/// # Errors
/// When what was said to be final is lost or changed, a node goes on without a disk, or blocks do not go on.
/// When the caller may not mount.
pub async fn run(cuts: u64, seed: u64) -> Result<()> {
    println!("the same moments again: {cuts} {seed}");
    let place = tempfile::tempdir()?;
    let (image, at) = (place.path().join("disk.img"), place.path().join("disk"));
    let disk =
        Disk::new(&image, &at).wrap_err("a disk of its own wants root, ext4 and loop devices")?;
    let mut dice = Dice::new(seed);
    let payer = Account::new(B256::repeat_byte(0x5e).0)?;
    let address = payer.address.to_string();
    let mut network = Testnet::start_in(&at, 4, &["--account", &address])?;
    network.agree(&HOSTS, 1).await?;
    // Genesis and keys were written before the power could fail.
    system(Command::new("sync").arg("-f").arg(&at))?;
    let load = Steady::on(&network, payer, &HOSTS).await?;
    for cut in 1..=cuts {
        pass(dice.moment(1_500)).await;
        let mut before = 0;
        for host in HOSTS {
            before = before.max(network.rpc(host).height().await?);
        }
        disk.cut()?;
        for host in HOSTS {
            let status = network.ended(host).await?;
            ensure!(!status.success(), "cut {cut}: host {host} ended as if all were well");
        }
        disk.unmount()?;
        disk.mount()?;
        for host in HOSTS {
            network.node(host, &[])?;
        }
        for host in HOSTS {
            network.reaches(host, before.saturating_add(2)).await?;
        }
    }
    let to = load.to;
    let acknowledged = load.end().await?;
    ensure!(acknowledged.len() as u64 > cuts, "only {} payments", acknowledged.len());
    nothing_is_lost(&network, &HOSTS, (to, &acknowledged)).await?;
    for host in HOSTS {
        network.end(host, "TERM")?;
    }
    println!("{cuts} cuts, {} payments acknowledged, none lost", acknowledged.len());
    Ok(())
}

fn system(command: &mut Command) -> Result<()> {
    let output = command.output().wrap_err_with(|| format!("could not start {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(())
}
