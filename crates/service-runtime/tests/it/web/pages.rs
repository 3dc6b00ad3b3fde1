//! What is published of a log, over HTTP, to those who may replay it.

use std::{collections::HashMap, fs, path::PathBuf, time::Duration};

use contracts::toguna::log::v1 as pb;
use service_runtime::LogReaders;
use transparency::{KeyKind, SigningKey, leaf_hash};

use super::plain::{Answer, Plain};
use crate::notes::{Service, environment, unique_name, with_token};

/// A service that publishes its log, though nobody signs it, and the folder of the present epoch.
struct Publishing {
    service: Service,
    folder: PathBuf,
    place: PathBuf,
}

impl Drop for Publishing {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Publishing {
    async fn start(readers: LogReaders, more: &[(&'static str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("toguna-pages-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&folder).expect("a folder");
        let key = |seed| SigningKey::new("key.test", KeyKind::Note, &[seed; 32]).expect("a name");
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).expect("a file");
            path.display().to_string()
        };
        let mut environment: HashMap<&'static str, String> = environment().await;
        environment.extend([
            ("TOGUNA_PUBLICATION_DIR", folder.join("publication").display().to_string()),
            ("TOGUNA_LOG_ORIGIN", "log.test".to_owned()),
            ("TOGUNA_SIGNER_URL", "http://127.0.0.1:9".to_owned()),
            ("TOGUNA_SUBMISSION_KEY", file("submission.key", key(1).to_secret_text())),
            ("TOGUNA_LOG_KEY", file("log.vkey", key(2).verifier().to_string())),
            ("TOGUNA_WITNESS_POLICY", file("policy", "quorum none\n".to_owned())),
        ]);
        environment.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let mut service = Service::start_in(unique_name(), &environment, readers).await;
        let auditor = harness::token("auditor", "partners/auditor", "auditor");
        let log =
            service.log.get_log(with_token(&auditor, pb::GetLogRequest {})).await.expect("an answer").into_inner();
        let epoch = log.epoch.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
        let place = folder.join("publication").join(service.name).join(epoch);
        Self { service, folder, place }
    }

    fn epoch(&self) -> String {
        self.place.file_name().expect("a name").to_string_lossy().into_owned()
    }

    /// Notes a number, and waits until it is published.
    async fn publish_one(&mut self) {
        self.service.note(7).await;
        let published = async {
            while !self.place.join("tile/0/000.p/1").exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), published).await.expect("it is published");
    }

    fn plain(&self) -> Plain {
        Plain::to(self.service.address)
    }
}

async fn get(plain: &Plain, path: &str) -> Answer {
    plain.send("GET", path, b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_replay_a_log_gets_what_is_published_of_it() {
    let mut publishing = Publishing::start(LogReaders::Partners, &[]).await;
    publishing.publish_one().await;
    let plain = publishing.plain();
    let entries = get(&plain, "/log/tile/entries/000.p/1").await;
    assert_eq!(entries.status, 200, "{entries:?}");
    let (length, record) = entries.body.split_at(2);
    assert_eq!(usize::from(u16::from_be_bytes([length[0], length[1]])), record.len());
    let tile = get(&plain, "/log/tile/0/000.p/1").await;
    assert_eq!(tile.body, leaf_hash(record).as_bytes());
    assert_eq!(tile.header("content-type"), Some("application/octet-stream"));
    assert_eq!(tile.header("cache-control"), Some("private, max-age=31536000, immutable"));
    assert_eq!(get(&plain, &format!("/log/epochs/{}/tile/0/000.p/1", publishing.epoch())).await.body, tile.body);
    let head = plain.send("HEAD", "/log/tile/0/000.p/1", b"").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("32"), 0), "{head:?}");

    assert_eq!(get(&plain, "/log/checkpoint").await.status, 404, "nobody signed it");
    fs::write(publishing.place.join("checkpoint"), "a note\n").expect("a file");
    let checkpoint = get(&plain, "/log/checkpoint").await;
    assert_eq!(checkpoint.body, b"a note\n");
    assert_eq!(checkpoint.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(checkpoint.header("cache-control"), Some("private, max-age=1"));
    assert!(String::from_utf8_lossy(&get(&plain, "/log/policy").await.body).starts_with("log log.test/"));
    assert_eq!(get(&plain, "/log/keys.json").await.json()["keys"][0]["from"], 0);

    let stranger = get(&Plain::without_token(publishing.service.address), "/log/checkpoint").await;
    assert_eq!((stranger.status, stranger.reason().as_str()), (401, "TOKEN_INVALID"), "{stranger:?}");
    assert_eq!(plain.send("POST", "/log/checkpoint", b"{}").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_come_whole_and_no_path_leads_anywhere_else() {
    let mut publishing = Publishing::start(LogReaders::Partners, &[]).await;
    publishing.publish_one().await;
    let plain = publishing.plain();
    let list: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    fs::write(publishing.place.join("checkpoints.jsonl"), &list).expect("a file");
    let answer = get(&plain, "/log/checkpoints.jsonl").await;
    assert!(answer.body == list, "{} of {} bytes", answer.body.len(), list.len());
    let epoch = publishing.epoch();
    for path in [
        "/log/",
        "/log/.lock",
        "/log/.unfinished",
        "/log/tile",
        "/log/tile/0/000",
        "/log/tile/0/0",
        "/log/tile/0/000.p/01",
        "/log/tile/0/000.p/256",
        "/log/tile/0/../0/000.p/1",
        "/log/tile/00/000.p/1",
        "/log/../../submission.key",
        "/log/%2e%2e/%2e%2e/submission.key",
        "/log//submission.key",
        "/log/epochs/../submission.key",
        &format!("/log/epochs/{}/policy", epoch.to_uppercase()),
        &format!("/log/epochs/{epoch}"),
        &format!("/log/epochs/{epoch}/../../../submission.key"),
        &format!("/log/epochs/{}/policy", "0".repeat(32)),
    ] {
        assert_eq!(get(&plain, path).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_replay_a_log_gets_nothing_of_it() {
    let mut publishing = Publishing::start(LogReaders::Roles(&["auditor"]), &[("TOGUNA_LOG_PUBLIC", "false")]).await;
    publishing.service.note(7).await;
    let refused = get(&publishing.plain(), "/log/policy").await;
    assert_eq!((refused.status, refused.reason().as_str()), (403, "ROLE_REQUIRED"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_log_is_there_for_everybody_and_one_that_is_not_published_for_nobody() {
    let mut publishing = Publishing::start(LogReaders::Partners, &[("TOGUNA_LOG_PUBLIC", "true")]).await;
    publishing.publish_one().await;
    let stranger = Plain::without_token(publishing.service.address);
    let tile = get(&stranger, "/log/tile/0/000.p/1").await;
    assert_eq!((tile.status, tile.body.len()), (200, 32), "{tile:?}");
    assert_eq!(tile.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(get(&stranger, "/log/checkpoint").await.status, 404);

    let unpublished = Service::start().await;
    assert_eq!(get(&Plain::to(unpublished.address), "/log/checkpoint").await.status, 404);
}
