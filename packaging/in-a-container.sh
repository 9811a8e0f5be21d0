#!/usr/bin/env bash
# Runs one of four validators in a container: the image is built, and the container run, with the commands that stand
# in the container file of `sahara testnet init`, by podman, in namespaces of its own. The other three are processes
# beside it. The node must run as its user, vote, come back after kill -9 with its height, also where no peer can give
# it blocks, and stop cleanly. Needs root, podman, and crun or runc; where the file's base cannot be pulled, also
# debootstrap, which makes one of the same release. Leaves nothing behind.
# `cargo xtask soak container` builds the program and calls this with its path.
set -euo pipefail

# WHAT, then a command: it must hold before the time is over, and before what is attached has ended.
await() {
  local what=$1 last=$((SECONDS + ${PATIENCE:-120}))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$last" ] || { echo "not in time: $what" >&2; return 1; }
    [ -z "${attached:-}" ] || kill -0 "$attached" 2>/dev/null || { echo "it ended, instead of: $what" >&2; return 1; }
    sleep 0.3
  done
}

if [ -z "${2:-}" ]; then
  [ "$(id -u)" = 0 ] || { echo "only root may start a container here" >&2; exit 1; }
  for needed in podman unshare; do
    command -v "$needed" >/dev/null || { echo "$needed is missing" >&2; exit 1; }
  done
  command -v crun >/dev/null || command -v runc >/dev/null || { echo "crun or runc is missing" >&2; exit 1; }
  program=$(realpath "$1")
  work=$(mktemp -d)
  # Directories of control groups are all that outlives the namespaces, which end with their first process.
  clean() {
    local group container
    [ -z "${inside:-}" ] || { kill -KILL "$inside" && wait "$inside"; } 2>/dev/null || true
    for group in $(find /sys/fs/cgroup -depth -type d -path '*/libpod_parent/libpod-*' 2>/dev/null); do
      container=${group##*/libpod-}
      container=${container#conmon-}
      [ ! -d "$work/storage/overlay-containers/${container%%/*}" ] ||
        PATIENCE=10 await "$group empty" rmdir "$group" || true
    done
    find /sys/fs/cgroup -depth -type d \( -path '*/libpod_parent/conmon' -o -name libpod_parent \) \
      -exec rmdir {} \; 2>/dev/null || true
    PATIENCE=10 await "$work removed" rm -rf "$work"
  }
  trap clean EXIT
  trap 'exit 130' INT TERM
  hosts=()
  for index in 0 1 2 3; do hosts+=(--host "127.0.0.1:970$index"); done
  echo "correct horse battery staple" >"$work/password"
  "$program" testnet init "${hosts[@]}" --account 0x1111111111111111111111111111111111111111 \
    --directory "$work/testnet" --password-file "$work/password" >"$work/page"
  cp "$program" "$work/testnet/host-0/sahara"
  cp "$work/password" "$work/testnet/host-0/password"
  unshare --mount --pid --fork --kill-child=KILL --uts --ipc --mount-proc bash "$0" "$work" engine &
  inside=$!
  code=0
  wait "$inside" || code=$?
  inside=
  exit "$code"
fi

work=$1
file=$work/testnet/host-0/Containerfile
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf

# An engine of its own: its images, containers and what it notes of them lie in the working directory, and the volume
# that the file names is not this machine's.
engine() {
  mount --make-rprivate /
  local place
  mkdir "$work/over"
  mount -t tmpfs tmpfs "$work/over"
  for place in run var/lib; do
    mkdir -p "$work/over/$place"/{changed,work}
    mount -t overlay overlay -o "lowerdir=/$place,upperdir=$work/over/$place/changed,workdir=$work/over/$place/work" \
      "/$place"
  done
  # The chain lies on a disk, not in memory.
  mkdir -p "$work/volume" /var/lib/sahara
  mount --bind "$work/volume" /var/lib/sahara
  cat >"$work/storage.conf" <<STORAGE
[storage]
driver = "overlay"
graphroot = "$work/storage"
runroot = "$work/storage-run"
STORAGE
  # Root may lack the right to raise limits, in which case the engine's own cannot be set: it gets those that are.
  local files
  files=$(ulimit -Hn)
  cat >"$work/containers.conf" <<ENGINE
[containers]
default_ulimits = ["nofile=${files/unlimited/-1}", "nproc=4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$work/engine"
ENGINE
}

# What the file begins with, from where the engine would get it, or of the same release without a registry.
base() {
  local from
  from=$(sed -n 's/^FROM //p' "$file")
  if timeout 300 podman pull "$from" >"$work/pull" 2>&1; then
    echo "base: $from, pulled"
    return
  fi
  echo "not pulled: $(tail -n 1 "$work/pull")"
  local release=${from#debian:}
  command -v debootstrap >/dev/null || { echo "$from cannot be pulled, and debootstrap is missing" >&2; return 1; }
  timeout 600 debootstrap --variant=minbase "${release%-slim}" "$work/base" >"$work/debootstrap" 2>&1 ||
    { tail -n 20 "$work/debootstrap" >&2; return 1; }
  tar -C "$work/base" --exclude='./var/cache/apt/archives/*.deb' -c . |
    podman import - "docker.io/library/$from" >"$work/import" 2>&1 || { cat "$work/import" >&2; return 1; }
  rm -rf "$work/base"
  echo "base: Debian ${release%-slim}, made with debootstrap as $from"
}

# The first runtime that starts a container on this machine.
runtime() {
  local from runtime
  from=$(sed -n 's/^FROM //p' "$file")
  for runtime in crun runc; do
    command -v "$runtime" >/dev/null || continue
    if timeout 60 podman --runtime "$runtime" run --rm --network host "$from" true 2>"$work/$runtime"; then
      sed -i "s/^\[engine\]$/&\nruntime = \"$runtime\"/" "$work/containers.conf"
      echo "engine: $(podman --version), $($runtime --version | head -n 1)"
      return
    fi
    echo "$runtime starts no container here: $(tail -n 1 "$work/$runtime")"
  done
  echo "no engine can start a container on this machine: podman tried what is said above" >&2
  return 1
}

if [ "$2" = engine ]; then
  engine
  base
  runtime
  # Nothing from here on needs another machine, and no port of this one's.
  unshare --net bash "$0" "$work" holds && exit
  echo "the container said last:" >&2
  tail -n 20 "$work"/said-* >&2
  exit 1
fi

ip link set lo up
cd "$work/testnet/host-0"

# The commands of the file, as they stand.
mapfile -t commands < <(sed -n 's/^#   //p' "$file")
run=${commands[-1]}
unset 'commands[-1]'
case $run in "podman run "*) ;; *) echo "the file's last command runs no container: $run" >&2; exit 1 ;; esac
for command in "${commands[@]}"; do
  timeout 300 bash -c "$command" >>"$work/said-build" 2>&1 || { echo "failed: $command" >&2; exit 1; }
done
install -d -m 700 -o 10001 /var/lib/sahara
install -m 600 -o 10001 validator.json /var/lib/sahara/validator.json

sahara=$work/testnet/host-0/sahara
port() { if [ "$1" = 0 ]; then echo 8545; else echo "854$((5 + $1))"; fi; }
# INDEX: the height that a node says, or nothing.
height() {
  "$sahara" status --data-dir "$work/data" --rpc "http://127.0.0.1:$(port "$1")" --json 2>/dev/null |
    grep -o '"height": *[0-9]*' | grep -o '[0-9]*$' || true
}
# INDEX HEIGHT: whether the node answers with that height at least.
reaches() { local at; at=$(height "$1"); [ -n "$at" ] && [ "$at" -ge "$2" ]; }
fails() { echo "$1" >&2; exit 1; }

processes=()
# INDEX: starts a validator as a process.
beside() {
  local host=$work/testnet/host-$1
  "$sahara" node --genesis "$host/genesis.json" --directory "$host/chain" --key-file "$host/validator.json" \
    --password-file "$work/password" --peer-listen "127.0.0.1:970$1" --rpc-listen "127.0.0.1:$(port "$1")" \
    --metrics-listen "127.0.0.1:961$((5 + $1))" >>"$work/said-by-$1" 2>&1 &
  processes[$1]=$!
}
# INDEX: kill -9 of that process.
fell() { kill -KILL "${processes[$1]}"; wait "${processes[$1]}" 2>/dev/null || true; }

is() { [ "$(podman inspect --format "{{.State.$2}}" "$1" 2>/dev/null)" = "$3" ]; }
# COMMAND: runs it as a person would, attached; it starts a container.
attach() {
  bash -c "exec $1" >>"$work/said-in-container" 2>&1 &
  attached=$!
}
# [OLD]: the newest container that is running or was, another than OLD; its number is then in $container.
newest() { container=$(podman ps --latest --quiet --no-trunc) && [ -n "$container" ] && [ "$container" != "${1:-}" ]; }
# The attached command's exit code, which the engine says too, is WANTED.
ends() {
  local code=0
  wait "$attached" || code=$?
  attached=
  [ "$code" = "$1" ] || fails "the container ended with $code instead of $1"
  is "$container" ExitCode "$1" || fails "the engine says another exit code than $1"
}
stops() {
  local since=$SECONDS
  podman stop "$container" >/dev/null
  ends 0
  echo "stopped with exit code 0 in $((SECONDS - since)) s"
}

for index in 1 2 3; do beside "$index"; done
attach "$run"
await "a container" newest
await "it runs" is "$container" Running true
await "four validators make blocks" reaches 0 3
pid=$(podman inspect --format '{{.State.Pid}}' "$container")
[ "$(awk '/^Uid:/ {print $2, $3}' "/proc/$pid/status")" = "10001 10001" ] || fails "it runs as another user"
[ "$(awk '/^CapEff:/ {print $2}' "/proc/$pid/status")" = 0000000000000000 ] || fails "it holds capabilities"
[ "$(stat -L -c %i "/proc/$pid/ns/mnt")" != "$(stat -L -c %i /proc/self/ns/mnt)" ] || fails "it is in no container"
[ "$(sed -n 's/^PRETTY_NAME=//p' "/proc/$pid/root/etc/os-release")" ] || fails "its root is not the image's"
echo "four validators at height $(height 0), that in the container as user 10001"

fell 3
before=$(height 0)
await "three of four make blocks, which takes the container's vote" reaches 0 $((before + 5))
beside 3
await "the fourth is back" reaches 3 $((before + 5))
before=$(height 0)
podman kill --signal KILL "$container" >/dev/null
ends 137
await "the others make blocks without it" reaches 1 $((before + 5))
attach "podman start --attach $container"
await "it makes up for what it missed" reaches 0 "$(height 1)"
echo "height $before before kill -9, $(height 0) after it and with its peers"

before=$(height 0)
podman kill --signal KILL "$container" >/dev/null
ends 137
for index in 1 2 3; do fell "$index"; done
attach "podman start --attach $container"
await "it comes back without peers" reaches 0 1
reaches 0 "$before" || fails "blocks are lost: height $before before kill -9, $(height 0) after"
echo "height $before before kill -9, $(height 0) after it and without a peer"
for index in 1 2 3; do beside "$index"; done
before=$(height 0)
await "all four make blocks again" reaches 0 $((before + 3))
before=$(height 0)
stops

# Another container of the image has key, guard and chain from the volume; and it may be shut in as the unit is. The
# root is read-only when the secret's file is put in, hence the file system for it.
old=$container
shut="--read-only --tmpfs /run/secrets:mode=755 --cap-drop all --security-opt no-new-privileges"
attach "${run/podman run /podman run $shut }"
await "another container" newest "$old"
await "it goes on" reaches 0 $((before + 3))
pid=$(podman inspect --format '{{.State.Pid}}' "$container")
grep -q 'NoNewPrivs:.*1' "/proc/$pid/status" || fails "it may gain privileges"
grep -q '^[^ ]* / [^ ]* ro,' "/proc/$pid/mounts" || fails "it may write to its root"
echo "another container, its root read-only, at height $(height 0) after $before"
stops
podman rm --all --force >/dev/null
echo HOLDS
