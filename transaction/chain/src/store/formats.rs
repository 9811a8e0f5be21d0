//! What brings a directory of an older program to the present format, one format at a time.

use fjall::{Database, OwnedWriteBatch, PersistMode, Snapshot};

use super::{
    StoreError,
    handle::required,
    tables::{Tables, meta, number_key},
};

/// Adds to a batch what makes of one format the next.
type Step = fn(&Tables, &Snapshot, &mut OwnedWriteBatch) -> Result<(), StoreError>;

/// The step from each format to the next; the first is that from format 1.
const STEPS: &[Step] = &[begin_tries_with_the_head];

/// Brings a directory of format `found` to the present one.
///
/// # Errors
/// When the disk fails, or what an older program must have written is not there.
pub(super) fn migrate(database: &Database, tables: &Tables, found: u64) -> Result<(), StoreError> {
    walk(database, tables, found, STEPS)
}

/// Takes the steps from `found` on. Each is one batch that counts the format up as well: what is killed between
/// two leaves a directory of the format between, and the next start goes on from there.
fn walk(
    database: &Database,
    tables: &Tables,
    found: u64,
    steps: &[Step],
) -> Result<(), StoreError> {
    if found == 0 {
        return Err(StoreError::damaged(meta::FORMAT, "formats count from 1"));
    }
    for (format, step) in (1_u64..).zip(steps).filter(|(format, _)| *format >= found) {
        let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
        step(tables, &database.snapshot(), &mut batch)?;
        batch.insert(&tables.meta, meta::FORMAT, number_key(format.saturating_add(1)));
        batch.commit()?;
    }
    Ok(())
}

/// Format 1 kept no past tries; nothing else differs.
fn begin_tries_with_the_head(
    tables: &Tables,
    snapshot: &Snapshot,
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    let head = required(tables, snapshot, meta::HEAD)?;
    batch.insert(&tables.meta, meta::OLDEST_TRIE, number_key(head));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{STEPS, Step, walk};
    use crate::store::{
        StoreError, StoreOptions,
        handle::open_database,
        tables::{FORMAT, meta},
    };

    /// Steps that leave a mark, and one that cannot be taken.
    const ONE: Step = |tables, _, batch| {
        batch.insert(&tables.meta, "one", "");
        Ok(())
    };
    const TWO: Step = |tables, _, batch| {
        batch.insert(&tables.meta, "two", "");
        Ok(())
    };
    /// Wants what the step before it wrote.
    const THREE: Step = |tables, snapshot, batch| {
        super::required(tables, snapshot, "head")?;
        batch.insert(&tables.meta, "three", "");
        Ok(())
    };

    #[test]
    fn every_format_has_a_step_to_the_next() {
        assert_eq!(u64::try_from(STEPS.len()).unwrap() + 1, FORMAT);
    }

    #[test]
    fn i8_the_steps_from_what_was_found_are_taken_in_order_and_each_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let (database, tables) = open_database(directory.path(), StoreOptions::default()).unwrap();
        let has = |name: &str| tables.meta.get(name).unwrap().is_some();
        let format = || tables.meta_number(&database.snapshot(), meta::FORMAT).unwrap();

        // From 2 on, as far as it goes: what was done stays done, and is not done again.
        let failed = walk(&database, &tables, 2, &[ONE, TWO, THREE]).unwrap_err();
        assert!(matches!(failed, StoreError::Damaged { what: "head", .. }), "{failed}");
        assert_eq!((has("one"), has("two"), has("three")), (false, true, false));
        assert_eq!(format(), Some(3));

        tables.meta.remove("two").unwrap();
        tables.meta.insert("head", 7_u64.to_be_bytes()).unwrap();
        walk(&database, &tables, 3, &[ONE, TWO, THREE]).unwrap();
        assert_eq!((has("one"), has("two"), has("three")), (false, false, true));
        assert_eq!(format(), Some(4));
        walk(&database, &tables, 4, &[ONE, TWO, THREE]).unwrap();
        assert_eq!(format(), Some(4), "it is the present one");

        let refused = walk(&database, &tables, 0, STEPS).unwrap_err();
        assert!(matches!(refused, StoreError::Damaged { what: "format", .. }), "{refused}");
    }
}
