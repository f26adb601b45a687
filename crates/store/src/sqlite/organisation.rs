//! What is set up for organisations.

use jiff::tz::TimeZone;
use patron_rules::organisation::{
    Organisation, Programme, ProgrammeId, Reward, Tier, Till, TillId,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{amount, list, put, taken, text};
use super::{fields, ids, settings};
use crate::{Error, NewOrganisation, OrganisationName, PasswordHashes, TenantId, TillCredential};

pub(super) fn all(connection: &Connection) -> Result<Vec<OrganisationName>, Error> {
    list(connection, "SELECT name, is_demo FROM organisation ORDER BY name", [], |row| {
        Ok(OrganisationName { name: row.get("name")?, is_demo: row.get("is_demo")? })
    })
}

pub(super) fn till_credential(
    connection: &Connection,
    username: &str,
) -> Result<Option<TillCredential>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT organisation_id, till_id, md5_hash, sha256_hash
             FROM till_credential WHERE username = ?1",
        )?
        .query_row([username], |row| {
            Ok(TillCredential {
                tenant: TenantId(row.get("organisation_id")?),
                till: TillId(row.get("till_id")?),
                hashes: PasswordHashes {
                    md5: row.get("md5_hash")?,
                    sha256: row.get("sha256_hash")?,
                },
            })
        });
    Ok(found.optional()?)
}

pub(super) fn load(connection: &Connection, id: TenantId) -> Result<Organisation, Error> {
    let (name, zone): (String, String) = connection
        .prepare_cached("SELECT name, time_zone FROM organisation WHERE organisation_id = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or(Error::NoOrganisation)?;
    Ok(Organisation {
        name,
        zone: time_zone(&zone)?,
        settings: settings::load(connection, id)?,
        tills: list(
            connection,
            "SELECT till_id, name FROM till WHERE organisation_id = ?1 ORDER BY till_id",
            [id.0],
            |row| Ok(Till { id: TillId(row.get("till_id")?), name: row.get("name")? }),
        )?,
        custom_fields: fields::custom(connection, id)?,
        extended_fields: fields::extended(connection, id)?,
        programmes: programmes(connection, id)?,
    })
}

fn programmes(connection: &Connection, id: TenantId) -> Result<Vec<Programme>, Error> {
    let mut programmes = list(
        connection,
        "SELECT programme_id, is_default, tier_years FROM programme
         WHERE organisation_id = ?1 ORDER BY programme_id",
        [id.0],
        |row| {
            Ok(Programme {
                id: ProgrammeId(row.get("programme_id")?),
                is_default: row.get("is_default")?,
                tier_years: row.get("tier_years")?,
                tiers: Vec::new(),
                registration_rewards: Vec::new(),
            })
        },
    )?;
    for programme in &mut programmes {
        let key = (id.0, programme.id.0);
        programme.tiers = list(
            connection,
            "SELECT serial, name, description FROM tier
             WHERE organisation_id = ?1 AND programme_id = ?2 ORDER BY serial",
            key,
            |row| {
                Ok(Tier {
                    serial: row.get("serial")?,
                    name: row.get("name")?,
                    description: row.get("description")?,
                })
            },
        )?;
        programme.registration_rewards = list(
            connection,
            "SELECT reward_id, points FROM registration_reward
             WHERE organisation_id = ?1 AND programme_id = ?2 ORDER BY reward_id",
            key,
            |row| Ok(Reward { id: row.get("reward_id")?, points: amount(&text(row, "points")?)? }),
        )?;
    }
    Ok(programmes)
}

pub(super) fn insert(connection: &Connection, new: &NewOrganisation) -> Result<(), Error> {
    time_zone(&new.time_zone)?;
    let id: i64 = connection
        .prepare_cached(
            "INSERT INTO organisation (name, time_zone, is_demo, next_customer_id)
             VALUES (?1, ?2, ?3, ?4) RETURNING organisation_id",
        )?
        .query_row((&new.name, &new.time_zone, new.is_demo, ids::FIRST), |row| row.get(0))
        .map_err(|error| taken(error, "organisation", &new.name))?;
    settings::save(connection, TenantId(id), &new.settings)?;
    for (number, (name, hashes)) in (1_i64..).zip(&new.tills) {
        put(connection, "INSERT INTO till VALUES (?1, ?2, ?3)", (id, number, name))?;
        let credential = (name, id, number, &hashes.md5, &hashes.sha256);
        put(connection, "INSERT INTO till_credential VALUES (?1, ?2, ?3, ?4, ?5)", credential)?;
    }
    fields::insert(connection, id, new)?;
    new.programmes.iter().try_for_each(|programme| insert_programme(connection, id, programme))
}

fn insert_programme(connection: &Connection, id: i64, programme: &Programme) -> Result<(), Error> {
    put(
        connection,
        "INSERT INTO programme VALUES (?1, ?2, ?3, ?4)",
        (id, programme.id.0, programme.is_default, programme.tier_years),
    )?;
    for tier in &programme.tiers {
        let row = (id, programme.id.0, tier.serial, &tier.name, &tier.description);
        put(connection, "INSERT INTO tier VALUES (?1, ?2, ?3, ?4, ?5)", row)?;
    }
    for reward in &programme.registration_rewards {
        let row = params![id, programme.id.0, reward.id, reward.points.to_string()];
        put(connection, "INSERT INTO registration_reward VALUES (?1, ?2, ?3, ?4)", row)?;
    }
    Ok(())
}

fn time_zone(name: &str) -> Result<TimeZone, Error> {
    TimeZone::get(name).map_err(|_| Error::Corrupt(format!("`{name}` is no IANA time zone")))
}
