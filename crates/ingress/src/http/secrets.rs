//! Secrets as they are given: a text, where the gateway finds it, or what this installation has
//! sealed, as `postrider export` writes it. The engine refuses what it can't open.

use model::resources::{Secret, is_signing_secret};
use model::submission::Fault;
use serde_json::Value;

/// Reads a secret; `null` is none.
pub(super) fn read(pointer: &str, given: &Value) -> Result<Option<Secret>, Fault> {
    let wrong = || {
        let forms = "must be a text, {\"env\": \"NAME\"}, {\"file\": \"PATH\"} or {\"sealed\": \"…\"} of an export";
        Fault::new(pointer, forms)
    };
    match given {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(Secret::Plain(text.clone()))),
        Value::Object(fields) => {
            let mut fields = fields.iter();
            match (fields.next(), fields.next()) {
                (Some((name, Value::String(env))), None) if name == "env" => Ok(Some(Secret::Env { env: env.clone() })),
                (Some((name, Value::String(file))), None) if name == "file" => {
                    Ok(Some(Secret::File { file: file.clone() }))
                }
                (Some((name, Value::String(sealed))), None) if name == "sealed" => {
                    Ok(Some(Secret::Sealed { sealed: sealed.clone() }))
                }
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

/// Reads a webhook's signing secret, which has to be one if it is written out.
pub(super) fn read_signing(pointer: &str, given: &Value) -> Result<Option<Secret>, Fault> {
    match read(pointer, given)? {
        Some(Secret::Plain(text)) if !is_signing_secret(&text) => {
            Err(Fault::new(pointer, "must be whsec_ and base64 of 24 to 64 octets"))
        }
        secret => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_a_text_or_a_place_or_sealed() {
        assert_eq!(read("/p", &json!("x")), Ok(Some(Secret::Plain("x".into()))));
        assert_eq!(read("/p", &json!({ "env": "X" })), Ok(Some(Secret::Env { env: "X".into() })));
        assert_eq!(read("/p", &json!({ "file": "x" })), Ok(Some(Secret::File { file: "x".into() })));
        assert_eq!(read("/p", &json!({ "sealed": "x" })), Ok(Some(Secret::Sealed { sealed: "x".into() })));
        assert_eq!(read("/p", &Value::Null), Ok(None));
        for wrong in [json!(1), json!({}), json!(["X"]), json!({ "env": "X", "file": "y" }), json!({ "env": 1 })] {
            assert_eq!(read("/p", &wrong).unwrap_err().pointer, "/p", "{wrong}");
        }
    }

    #[test]
    fn the_secrets_that_are_made_are_taken() {
        assert!(is_signing_secret(&engine::resources::new_webhook_secret().unwrap()));
    }
}
