//! The web application: its build is committed, so that whoever builds the program needs no Node and
//! no npm registry, as it is with contracts; here it is rebuilt and compared.

use crate::shell::{self, command, run};
use eyre::{Result, bail};

/// Where the sources are.
const WEB: &str = "application/web";
/// Where its build is committed.
const BUILT: &str = "application/web/dist";

fn npm(arguments: &[&str]) -> Result<()> {
    run(command("npm").current_dir(shell::root().join(WEB)).args(arguments))
}

/// Installs what the build needs, when it is not as the lock file says.
fn install() -> Result<()> {
    let web = shell::root().join(WEB);
    let changed = |path: &str| web.join(path).metadata().and_then(|file| file.modified());
    if let (Ok(installed), Ok(locked)) =
        (changed("node_modules/.package-lock.json"), changed("package-lock.json"))
        && installed >= locked
    {
        return Ok(());
    }
    // As the lock file says. Not `ci`, which also wants every other platform's optional packages in it,
    // and registries that serve one platform have none of them.
    npm(&["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"])
}

/// Builds it.
pub(crate) fn build() -> Result<()> {
    install()?;
    npm(&["run", "--silent", "build"])
}

/// Checks its types and words, and fails when the committed build differs from a new one.
pub(crate) fn check() -> Result<()> {
    install()?;
    npm(&["run", "--silent", "check"])?;
    npm(&["run", "--silent", "test"])?;
    npm(&["run", "--silent", "build"])?;
    let changed = shell::output(command("git").args(["status", "--porcelain", "--", BUILT]))?;
    if !changed.is_empty() {
        bail!(
            "the committed web application differs from a rebuild (`cargo xtask web`):\n{changed}"
        );
    }
    Ok(())
}
