#!/usr/bin/env bash
# Installs a validator as `sahara testnet init` says, under a systemd of its own: a copy of this machine's root
# (an overlay in memory) in namespaces of its own, where systemd is process 1. Then the node must answer, run as
# its user, come back after kill -9 with its height, and stop cleanly. Needs root and systemd 250 or later.
# `cargo xtask soak systemd` builds the program and calls this with its path.
set -euo pipefail

if [ "${2:-}" != inside ]; then
  program=$(realpath "$1")
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/root" "$work/out"
  echo "correct horse battery staple" >"$work/password"
  "$program" testnet init --host 127.0.0.1:9700 --account 0x1111111111111111111111111111111111111111 \
    --directory "$work/testnet" --password-file "$work/password" >"$work/page"
  cp "$program" "$work/testnet/host-0/sahara"
  cp "$work/password" "$work/testnet/host-0/password"
  # The commands of the page, as they stand; a target of our own starts the service instead of `systemctl enable`.
  sed -n 's/^  //p' "$work/page" | sed 's/        (.*//; /^systemctl/d; /^The /d' >"$work/install"
  timeout 300 unshare --mount --pid --fork --uts --ipc --net --cgroup --mount-proc \
    bash "$0" "$work" inside >"$work/boot" 2>&1 || true
  cat "$work/out/probe" || { cat "$work/boot"; exit 1; }
  grep -q '^HOLDS$' "$work/out/probe"
  exit
fi

work=$1
ip link set lo up
mount --make-rprivate /
mount -t tmpfs tmpfs "$work/root"
mkdir "$work"/root/{changed,work,top}
top=$work/root/top
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/root/changed,workdir=$work/root/work" "$top"
mount -t proc proc "$top/proc"
mount -t tmpfs tmpfs "$top/run"
mount -t tmpfs tmpfs "$top/tmp"
mount --rbind /sys "$top/sys"
mount --rbind /dev "$top/dev"
mkdir "$top/opt/probe"
mount --bind "$work/out" "$top/opt/probe"
mkdir "$top/tmp/host"
cp -r "$work/testnet/host-0/." "$top/tmp/host/"
cp "$work/install" "$top/tmp/install"
chroot "$top" bash -euc 'cd /tmp/host; . /tmp/install'

cat >"$top/etc/systemd/system/probe.target" <<'UNIT'
[Unit]
Wants=sahara.service probe.service
UNIT
cat >"$top/etc/systemd/system/probe.service" <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash /opt/probe.sh
StandardOutput=file:/opt/probe/probe
StandardError=inherit
UNIT
cat >"$top/opt/probe.sh" <<'PROBE'
answers() {
  for _ in $(seq 1 100); do
    if shown=$(sahara status --rpc http://127.0.0.1:8545 2>&1); then echo "$shown"; return 0; fi
    sleep 0.3
  done
  echo "$shown"
  return 1
}
height() { sahara status --rpc http://127.0.0.1:8545 --json | grep -o '"height": *[0-9]*' | grep -o '[0-9]*$'; }
holds() {
  answers || return 1
  while [ "$(height)" -lt 2 ]; do sleep 0.3; done
  before=$(height)
  pid=$(systemctl show -p MainPID --value sahara)
  [ "$(stat -c %U /proc/"$pid")" = sahara ] || { echo "it runs as another user"; return 1; }
  grep -q 'NoNewPrivs:.*1' /proc/"$pid"/status || { echo "it may gain privileges"; return 1; }
  systemctl kill -s KILL sahara
  while [ "$(systemctl show -p NRestarts --value sahara)" != 1 ]; do sleep 0.3; done
  answers || return 1
  echo "height $before before kill -9, $(height) after"
  [ "$(height)" -ge "$before" ] || { echo "blocks are lost"; return 1; }
  systemctl stop sahara
  [ "$(systemctl show -p Result --value sahara)" = success ] || { echo "it did not stop cleanly"; return 1; }
}
if holds; then echo HOLDS; else systemctl status sahara --no-pager -l; journalctl -u sahara --no-pager | tail -20; fi
systemctl exit 0 --force
PROBE
# What systemd itself does where it is the machine's first process: services see mounts of others.
mount --make-rshared "$top"
exec chroot "$top" env container=other /usr/lib/systemd/systemd --system --unit=probe.target --show-status=no
