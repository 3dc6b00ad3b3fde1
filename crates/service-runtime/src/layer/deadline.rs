//! How long a caller waits: its `grpc-timeout`, and who must send one.

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use http::HeaderMap;
use prost::Message as _;
use prost_types::FileDescriptorSet;

/// Paths of our methods, and whether they are answered at once. An answer that is streamed may go on for hours and says
/// from time to time that it is alive, and health and reflection are asked by programs that nobody here wrote.
static OURS: LazyLock<HashMap<String, bool>> = LazyLock::new(|| {
    let descriptors = FileDescriptorSet::decode(contracts::DESCRIPTORS).expect("the descriptors were compiled with us");
    let mut paths = HashMap::new();
    for file in descriptors.file.iter().filter(|file| file.package().starts_with("toguna.")) {
        for service in &file.service {
            paths.extend(service.method.iter().map(|method| {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                (path, !method.server_streaming())
            }));
        }
    }
    paths
});

/// Whether calls of this path must have a deadline: a caller who waits for ever does not notice that its line is cut,
/// and one who has gone is worked for until the longest time is over.
pub fn is_required(path: &str) -> bool {
    OURS.get(path).is_some_and(|at_once| *at_once)
}

/// Whether a path is that of a method of ours, which is for verified callers alone.
pub fn is_ours(path: &str) -> bool {
    OURS.contains_key(path)
}

/// The caller's `grpc-timeout`: at most eight digits and a unit.
pub fn of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}
