//! Descriptions of providers' APIs that are shipped: one TOML file each.

use serde_json::Value;

use super::HttpSettings;

/// A description that is shipped.
#[derive(Clone, Copy, Debug)]
pub struct HttpPreset {
    /// What connectors call it.
    pub name: &'static str,
    /// The file.
    pub toml: &'static str,
}

macro_rules! presets {
    ($($name:literal),+ $(,)?) => {
        /// Every preset, by name.
        pub const ALL: &[HttpPreset] =
            &[$(HttpPreset { name: $name, toml: include_str!(concat!("presets/", $name, ".toml")) }),+];
    };
}

presets!(
    "android-sms-gateway",
    "get",
    "infobip",
    "jasmin",
    "kannel",
    "mtn-v2",
    "mtn-v3",
    "ozeki",
    "sinch",
    "telnyx",
    "twilio",
    "vonage",
);

/// The preset of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static HttpPreset> {
    ALL.iter().find(|preset| preset.name == name)
}

/// Why settings don't come together.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// No such preset.
    #[error("there is no preset \"{name}\"; there are {}", names())]
    Unknown {
        /// The name.
        name: String,
    },
    /// What differs from the preset does not fit to it.
    #[error("does not fit to the preset: {0}")]
    Unfitting(#[from] serde_json::Error),
}

fn names() -> String {
    ALL.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ")
}

impl HttpPreset {
    /// What it says.
    #[must_use]
    pub fn settings(&self) -> HttpSettings {
        toml::from_str(self.toml).expect("a shipped preset, which a test reads")
    }
}

impl HttpSettings {
    /// These settings on top of their preset's. Objects are joined key by key, everything else is replaced.
    ///
    /// # Errors
    /// There is no such preset, or the two don't fit together.
    pub fn resolved(&self) -> Result<Self, PresetError> {
        let Some(name) = &self.preset else { return Ok(self.clone()) };
        let preset = find(name).ok_or_else(|| PresetError::Unknown { name: name.clone() })?;
        let mut whole = serde_json::to_value(preset.settings())?;
        join(&mut whole, serde_json::to_value(self)?);
        Ok(serde_json::from_value(whole)?)
    }
}

fn join(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(&key) {
                    Some(under) => join(under, value),
                    None => drop(below.insert(key, value)),
                }
            }
        }
        (below, above) => *below = above,
    }
}
