//! The Full Backup: its four parts, their versions, and the rules by which one becomes the next state.

pub mod captured;
pub mod check;
pub mod config_part;
pub mod decode;
pub mod fault;
mod fault_table;
pub mod json;
pub mod manifest;
pub mod parts;
pub mod plan;

use config_part::ConfigPart;
use manifest::Manifest;
use parts::{IamPart, SecretsPart};

/// An archive whose every part was read and checked.
#[derive(Clone, Debug)]
pub struct Archive {
    /// What it says of itself; its signature verifies.
    pub manifest: Manifest,
    /// `config.yaml`.
    pub config: ConfigPart,
    /// `iam.json`.
    pub iam: IamPart,
    /// `secrets.json`.
    pub secrets: SecretsPart,
    /// The public key that signed it, standard base64.
    pub signer: String,
}
