//! What an image is, by its file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::prelude::*;
use plugin_api::reading::shown;
use plugin_api::value::MapRef;

use crate::given::{map, text};
use crate::{image, other};

const READER: &str = "file.read";
/// The largest file that is read: the reader gives all of it.
const MAX_BYTES: i64 = 64 << 20;

/// Says what the header of an image does: the fields that `output` names, or all of them.
pub(crate) fn analyze(name: &str, parameters: MapRef<'_>, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let path = ["filePath", "path", "file"]
        .iter()
        .find_map(|key| parameters.get(key));
    let path = text(path, "filePath")?;
    let wanted = parameters.get("output").filter(|wanted| !wanted.is_null());
    if let Some(wanted) = wanted.filter(|wanted| wanted.as_map().is_none()) {
        return Err(NodeError::invalid(
            "output",
            format_args!(
                "expected a map such as `{{\"width\": true}}`, found {}",
                shown(wanted)
            ),
        ));
    }
    let asked = map(&[
        ("path", Value::from(path)),
        ("encoding", Value::from("base64")),
        ("maxBytes", Value::from(MAX_BYTES)),
    ])?;
    let output = other::call(name, READER, &asked, ctx)?;
    let content = output
        .as_ref()
        .get("content")
        .and_then(|content| content.as_str());
    let bytes = content.and_then(|content| STANDARD.decode(content).ok());
    let odd = || {
        NodeError::new(format!(
            "operation `{name}`: `{READER}` gave no `content` in Base64"
        ))
    };
    let Some(facts) = image::read(&bytes.ok_or_else(odd)?) else {
        let why = "is no image whose header can be read: PNG, JPEG, GIF, WebP or BMP";
        return Err(NodeError::invalid("filePath", why));
    };
    let all = [
        ("width", Value::from(i64::from(facts.width))),
        ("height", Value::from(i64::from(facts.height))),
        ("format", Value::from(facts.format)),
        (
            "colorSpace",
            facts.color_space.map_or_else(Value::null, Value::from),
        ),
        ("hasAlpha", facts.has_alpha.map_or_else(Value::null, Value::from)),
        ("hasExif", Value::from(facts.has_exif)),
    ];
    let is_wanted = |field: &str| {
        wanted.is_none_or(|wanted| {
            // The tags of EXIF are not read; whether there are any is said instead.
            let asked = wanted
                .get(field)
                .or_else(|| wanted.get("exif").filter(|_| field == "hasExif"));
            asked.is_some_and(|asked| asked.as_bool() != Some(false))
        })
    };
    map(&all
        .into_iter()
        .filter(|(field, _)| is_wanted(field))
        .collect::<Vec<_>>())
}
