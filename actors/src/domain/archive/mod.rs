//! The Full Backup: its four parts, their versions, and the rules by which one becomes the next state.

pub mod captured;
pub mod check;
pub mod config_part;
pub mod decode;
pub mod fault;
mod fault_table;
pub mod json;
pub mod lexer;
pub mod manifest;
pub mod older;
pub mod parts;
pub mod plan;
mod stream;

use crate::domain::clock::Timestamp;
use config_part::ConfigPart;
use manifest::Manifest;
use older::Conversion;
use parts::{IamPart, SecretsPart};

/// An archive whose every part was read and checked.
#[derive(Clone, Debug)]
pub struct Archive {
    /// What it says of itself; its signature verifies, where it has one.
    pub manifest: Manifest,
    /// `config.yaml`.
    pub config: ConfigPart,
    /// `iam.json`.
    pub iam: IamPart,
    /// `secrets.json`.
    pub secrets: SecretsPart,
    /// The public key that signed it, standard base64; older forms know no signature.
    pub signer: Option<String>,
    /// What was made of an older form.
    pub conversion: Option<Conversion>,
}

impl Archive {
    /// Whether it is the legacy JSON, which is added to what is there and brings no config.
    pub fn is_legacy_json(&self) -> bool {
        self.conversion.as_ref().is_some_and(|conversion| conversion.from == older::LEGACY_JSON)
    }

    /// Gives what the legacy JSON does not date the time of its import.
    pub fn date(&mut self, now: Timestamp) {
        let date = |at: &mut Timestamp| {
            if *at == Timestamp::default() {
                *at = now;
            }
        };
        if !self.is_legacy_json() {
            return;
        }
        for user in &mut self.iam.users {
            date(&mut user.created_at);
            user.keys.iter_mut().for_each(|key| date(&mut key.created_at));
        }
        self.iam.groups.iter_mut().for_each(|group| date(&mut group.created_at));
        self.iam.mapping_rules.iter_mut().for_each(|rule| date(&mut rule.created_at));
        self.iam.external_identities.iter_mut().for_each(|identity| date(&mut identity.created_at));
        for provider in &mut self.iam.auth_providers {
            date(&mut provider.created_at);
            date(&mut provider.updated_at);
        }
    }
}
