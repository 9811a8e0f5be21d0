//! A `PostgreSQL` server of this test run, with a database for each test.
//!
//! It listens on a socket in a directory of its own and ends with the tests, whatever ends them: a
//! thread that lives as long as the process holds it by the kernel's parent-death signal.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

/// Where Debian and others put the server's programs.
const PLACES: &[&str] = &["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt/postgresql"];

/// The URL of a new, empty database.
pub(crate) fn database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let socket = server();
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut create = Command::new(program("createdb"));
    create.arg("--host").arg(socket).args(["--username", "index", "--template", "template0"]);
    run(create.args(["--encoding", "UTF8", "--locale", "C"]).arg(&name));
    let socket = socket.display().to_string().replace('/', "%2F");
    format!("postgres://index@{socket}/{name}")
}

/// The directory of the server's socket.
fn server() -> &'static Path {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    SERVER.get_or_init(|| {
        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || {
            let (directory, mut server) = start();
            wait(&directory, &mut server);
            ready.send(directory).unwrap();
            // The server ends when this thread does, with the process.
            loop {
                thread::park();
            }
        });
        is_ready.recv().expect("PostgreSQL should start: its words are above")
    })
}

fn program(name: &str) -> PathBuf {
    let versions = PLACES.iter().flat_map(|place| fs::read_dir(place).ok());
    let versions = versions.flatten().flatten().map(|version| version.path().join("bin"));
    let mut found: Vec<_> = versions
        .chain(["/usr/bin".into(), "/usr/local/bin".into()])
        .map(|bin| bin.join(name))
        .collect();
    found.retain(|path| path.exists());
    found.into_iter().next().unwrap_or_else(|| {
        panic!("{name} is missing: expected Debian's package `postgresql`, which `cargo xtask test` installs")
    })
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The server refuses to run as root: there it runs as the user that its package made.
fn as_user(command: &str) -> Command {
    let mut prefix = Command::new("setpriv");
    if is_root() {
        prefix.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    prefix.args(["--pdeathsig", "TERM", "sh", "-c", command, "sh"]);
    prefix
}

fn start() -> (PathBuf, Child) {
    let directory = tempfile::Builder::new().prefix("index-postgres-").tempdir().unwrap().keep();
    if is_root() {
        run(Command::new("chown").arg("postgres").arg(&directory));
    }
    let setup = r#"exec "$1" --pgdata "$2/data" --username index --auth trust --encoding UTF8 --locale C --no-sync"#;
    run(as_user(setup).arg(program("initdb")).arg(&directory));
    let server = r#"trap 'kill -INT $server; wait $server; rm -rf "$2"; exit' TERM
        "$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c max_connections=200 &
        server=$!; wait $server"#;
    let mut command = as_user(server);
    command.arg(program("postgres")).arg(&directory);
    let log = fs::File::create(directory.join("log")).unwrap();
    command.stdout(Stdio::null()).stderr(log);
    (directory, command.spawn().unwrap())
}

/// Until it accepts connections.
fn wait(directory: &Path, server: &mut Child) {
    let mut ask = Command::new(program("pg_isready"));
    ask.arg("--host").arg(directory).args(["--timeout", "30", "--quiet"]);
    while !ask.status().unwrap().success() {
        if let Some(status) = server.try_wait().unwrap() {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            panic!("PostgreSQL ended with {status}: {log}");
        }
        thread::yield_now();
    }
}
