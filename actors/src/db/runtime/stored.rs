//! The tables `stored_backups` and `backup_runs`.

use crate::Result;
use crate::db::failed;
use crate::domain::clock::Timestamp;
use crate::domain::stored::agenda::Agenda;
use crate::domain::stored::{Failure, Standing, StoredRecord, Success, Trigger};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many runs are kept.
const RUNS_KEPT: i64 = 1000;

/// Notes what is known of a stored backup, in the place of what was.
pub fn put_stored(connection: &Connection, destination: &str, record: &StoredRecord) -> Result<()> {
    let write = || {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO stored_backups
                 (destination, id, own, trigger, actor, sha256, version, verified_at, verify_error)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                destination,
                record.id,
                record.own,
                record.trigger,
                record.actor,
                record.sha256,
                record.version,
                record.verified_at.map(Timestamp::millis),
                record.verify_error,
            ])
    };
    write().map(|_| ()).map_err(failed("note stored backup"))
}

/// Forgets a stored backup.
pub fn delete_stored(connection: &Connection, destination: &str, id: &str) -> Result<()> {
    let delete = || {
        connection
            .prepare_cached("DELETE FROM stored_backups WHERE destination = ? AND id = ?")?
            .execute([destination, id])
    };
    delete().map(|_| ()).map_err(failed("forget stored backup"))
}

/// What is known of the stored backups of a destination, by id.
pub fn stored_records(connection: &Connection, destination: &str) -> Result<BTreeMap<String, StoredRecord>> {
    let read = || {
        let mut statement = connection.prepare_cached("SELECT * FROM stored_backups WHERE destination = ?")?;
        let rows = statement.query_map([destination], |row| {
            let record = read_stored(row)?;
            Ok((record.id.clone(), record))
        })?;
        rows.collect::<rusqlite::Result<BTreeMap<_, _>>>()
    };
    read().map_err(failed("read stored backups"))
}

/// Notes that a schedule was seen for the first time.
pub fn note_armed(connection: &Connection, schedule: &str, at: Timestamp) -> Result<()> {
    let write = || {
        connection
            .prepare_cached(
                "INSERT INTO backup_runs (at, outcome, trigger, schedule) VALUES (?, 'armed', 'schedule', ?)",
            )?
            .execute(params![at.millis(), schedule])
    };
    write().map_err(failed("note schedule"))?;
    prune(connection)
}

/// Notes a run that ended well.
pub fn note_success(connection: &Connection, trigger: Trigger, schedule: Option<&str>, run: &Success) -> Result<()> {
    let write = || {
        connection
            .prepare_cached(
                "INSERT INTO backup_runs (at, outcome, trigger, schedule, id, bytes, millis, version)
                 VALUES (?, 'success', ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                run.at.millis(),
                trigger.as_str(),
                schedule,
                run.id,
                i64::try_from(run.bytes).unwrap_or(i64::MAX),
                i64::try_from(run.took.as_millis()).unwrap_or(i64::MAX),
                run.version,
            ])
    };
    write().map_err(failed("note backup"))?;
    prune(connection)
}

/// Notes a run that failed.
pub fn note_failure(connection: &Connection, trigger: Trigger, schedule: Option<&str>, run: &Failure) -> Result<()> {
    let write = || {
        connection
            .prepare_cached(
                "INSERT INTO backup_runs (at, outcome, trigger, schedule, code, detail, hint)
                 VALUES (?, 'failed', ?, ?, ?, ?, ?)",
            )?
            .execute(params![run.at.millis(), trigger.as_str(), schedule, run.code, run.detail, run.hint])
    };
    write().map_err(failed("note failed backup"))?;
    prune(connection)
}

/// How the backups stand, and what the agenda was, as the table tells.
pub fn backup_standing(connection: &Connection) -> Result<(Standing, Agenda)> {
    let read = || {
        let one = |sql: &str| connection.prepare(sql);
        let last_success = one("SELECT * FROM backup_runs WHERE outcome = 'success' ORDER BY number DESC LIMIT 1")?
            .query_row([], read_success)
            .optional()?;
        let last_failure = one("SELECT * FROM backup_runs WHERE outcome = 'failed' ORDER BY number DESC LIMIT 1")?
            .query_row([], read_failure)
            .optional()?;
        let since = "FROM backup_runs WHERE outcome = 'failed' AND number >
                     (SELECT coalesce(max(number), 0) FROM backup_runs WHERE outcome = 'success')";
        let failures: i64 = one(&format!("SELECT count(*) {since}"))?.query_row([], |row| row.get(0))?;
        // What somebody asked for is not tried again.
        let retried = one(&format!("SELECT count(*), max(at) {since} AND trigger <> 'request'"))?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)))?;
        let scheduled = one("SELECT schedule, at FROM backup_runs WHERE trigger = 'schedule' AND schedule IS NOT NULL
             ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, String>(0)?, Timestamp::from_millis(row.get(1)?))))
        .optional()?;
        let failed = retried.1.map(|at| (Timestamp::from_millis(at), u32::try_from(retried.0).unwrap_or(u32::MAX)));
        let covered = last_success.as_ref().map(|run: &Success| run.version.clone());
        let failures = u64::try_from(failures).unwrap_or_default();
        let standing = Standing { last_success, last_failure, failures, failed_total: 0, running: false };
        Ok((standing, Agenda::resumed(scheduled, covered, failed)))
    };
    read().map_err(failed("read backup runs"))
}

fn prune(connection: &Connection) -> Result<()> {
    // The last success stays, however many failures came after it.
    connection
        .prepare_cached(
            "DELETE FROM backup_runs WHERE number <= (SELECT max(number) FROM backup_runs) - ?
             AND number <> (SELECT coalesce(max(number), 0) FROM backup_runs WHERE outcome = 'success')",
        )
        .and_then(|mut statement| statement.execute([RUNS_KEPT]))
        .map(|_| ())
        .map_err(failed("forget old backup runs"))
}

fn read_stored(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    Ok(StoredRecord {
        id: row.get("id")?,
        own: row.get("own")?,
        trigger: row.get("trigger")?,
        actor: row.get("actor")?,
        sha256: row.get("sha256")?,
        version: row.get("version")?,
        verified_at: row.get::<_, Option<i64>>("verified_at")?.map(Timestamp::from_millis),
        verify_error: row.get("verify_error")?,
    })
}

fn read_success(row: &Row<'_>) -> rusqlite::Result<Success> {
    let number = |name: &str| row.get::<_, i64>(name).map(|number| u64::try_from(number).unwrap_or_default());
    Ok(Success {
        at: Timestamp::from_millis(row.get("at")?),
        id: row.get("id")?,
        bytes: number("bytes")?,
        took: Duration::from_millis(number("millis")?),
        version: row.get("version")?,
    })
}

fn read_failure(row: &Row<'_>) -> rusqlite::Result<Failure> {
    Ok(Failure {
        at: Timestamp::from_millis(row.get("at")?),
        code: row.get("code")?,
        detail: row.get("detail")?,
        hint: row.get("hint")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::migrate::STATE;
    use crate::domain::stored::agenda::Wanted;
    use crate::domain::stored::cron::Cron;

    const NIGHTLY: Option<&str> = Some("0 2 * * *");

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        STATE.migrate(&mut connection).unwrap();
        connection
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn success(secs: i64) -> Success {
        let took = Duration::from_millis(1500);
        Success { at: at(secs), id: format!("b{secs}"), bytes: 7, took, version: "1.2".into() }
    }

    fn failure(secs: i64) -> Failure {
        Failure { at: at(secs), code: "disk_full".into(), detail: "d".into(), hint: None }
    }

    #[test]
    fn a_stored_backup_is_noted_changed_and_forgotten() {
        let database = database();
        let mut record = StoredRecord {
            id: "a.zip".into(),
            own: true,
            trigger: Some("schedule".into()),
            actor: Some("$schedule".into()),
            sha256: "ab".into(),
            version: Some("1.2".into()),
            verified_at: Some(at(5)),
            verify_error: None,
        };
        put_stored(&database, "directory:/x", &record).unwrap();
        record.verify_error = Some("damaged".into());
        put_stored(&database, "directory:/x", &record).unwrap();
        assert_eq!(stored_records(&database, "directory:/x").unwrap()["a.zip"], record);
        assert!(stored_records(&database, "directory:/y").unwrap().is_empty());
        delete_stored(&database, "directory:/x", "a.zip").unwrap();
        assert!(stored_records(&database, "directory:/x").unwrap().is_empty());
    }

    #[test]
    fn a_restart_goes_on_where_the_runs_left_off() {
        let database = database();
        assert_eq!(backup_standing(&database).unwrap(), (Standing::default(), Agenda::default()));
        note_armed(&database, "0 2 * * *", at(10)).unwrap();
        let cron = Cron::parse("0 2 * * *").unwrap();
        let wanted = Wanted { cron: Some(&cron), on_change: None };
        let (_, mut agenda) = backup_standing(&database).unwrap();
        assert!(!agenda.arm(&wanted, at(3 * 86_400)), "it was armed before");
        assert_eq!(agenda.due(&wanted, "1.2", at(3 * 86_400)), Some(Trigger::Schedule));

        note_success(&database, Trigger::Schedule, NIGHTLY, &success(7200)).unwrap();
        note_failure(&database, Trigger::Request, NIGHTLY, &failure(7300)).unwrap();
        note_failure(&database, Trigger::Schedule, NIGHTLY, &failure(93_600)).unwrap();
        let (standing, mut agenda) = backup_standing(&database).unwrap();
        assert_eq!((standing.last_success, standing.last_failure), (Some(success(7200)), Some(failure(93_600))));
        assert_eq!(standing.failures, 2);
        assert_eq!(agenda.due(&wanted, "1.2", at(93_600 + 299)), None);
        assert_eq!(agenda.due(&wanted, "1.2", at(93_600 + 300)), Some(Trigger::Schedule));
    }

    #[test]
    fn old_runs_go_and_the_last_success_stays() {
        let database = database();
        note_success(&database, Trigger::Request, None, &success(1)).unwrap();
        (0..RUNS_KEPT + 10).for_each(|n| note_failure(&database, Trigger::Request, None, &failure(n)).unwrap());
        let rows: i64 = database.query_row("SELECT count(*) FROM backup_runs", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, RUNS_KEPT + 1);
        assert_eq!(backup_standing(&database).unwrap().0.last_success, Some(success(1)));
    }
}
