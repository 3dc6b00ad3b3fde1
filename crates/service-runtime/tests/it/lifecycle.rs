//! How a service starts and stops.

use std::time::{Duration, Instant};

use contracts::toguna::log::v1 as pb;
use service_runtime::{LogReaders, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::notes::{Service, build, by, config, environment, unique_name};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_and_starts_again_goes_on_with_its_log() {
    let (name, environment) = (unique_name(), environment().await);
    let mut service = Service::start_in(name, &environment, LogReaders::Partners).await;
    let first = service.note(1).await;
    service.stop().await;
    let mut service = Service::start_in(name, &environment, LogReaders::Partners).await;
    let second = service.note(2).await;
    assert_eq!(second.events[0].position, 2);
    let epoch = |receipt: &pb::Receipt| receipt.consistency_token.rsplit_once('.').map(|(log, _)| log.to_owned());
    assert_eq!(epoch(&first), epoch(&second), "the same history");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ready_file_names_the_address_of_a_service_that_answers() {
    let mut environment = environment().await;
    let path = std::env::temp_dir().join(format!("toguna-ready-{}", unique_name()));
    environment.insert("TOGUNA_READY_FILE", path.display().to_string());
    let service = Service::start_in(unique_name(), &environment, LogReaders::Partners).await;
    let started = Instant::now();
    let written = loop {
        if let Ok(text) = std::fs::read_to_string(&path) {
            break text;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "no file");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(written, format!("{}\n", service.address));
    std::fs::remove_file(&path).expect("it is there");
    let channel = Channel::from_shared(format!("http://{}", written.trim())).expect("an address");
    let mut health = HealthClient::new(channel.connect().await.expect("it answers"));
    for name in ["", "toguna.disbursements.v1.CorrectionService", "toguna.log.v1.LogService", "relay"] {
        let asked = HealthCheckRequest { service: name.into() };
        let mut answer = health.check(asked.clone()).await.expect("it is known").into_inner().status();
        while answer == ServingStatus::NotServing && started.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            answer = health.check(asked.clone()).await.expect("it is known").into_inner().status();
        }
        assert_eq!(answer, ServingStatus::Serving, "{name}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_are_under_way_when_a_service_stops_are_answered() {
    let mut service = Service::start().await;
    service.note(0).await;
    let mut under_way = Vec::new();
    for number in 1..=50 {
        let mut notes = service.notes.clone();
        let request = crate::notes::note(number);
        under_way.push(tokio::spawn(async move { notes.propose_correction(by("aminata", request)).await }));
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    service.stopping.cancel();
    let mut answered = 0;
    for command in under_way {
        // A command that came too late is refused by the transport, before anything was done.
        match command.await.expect("no panic") {
            Ok(answer) => {
                assert!(answer.into_inner().receipt.expect("a receipt").events[0].position > 1);
                answered += 1;
            }
            Err(status) => assert!(
                matches!(status.code(), tonic::Code::Unavailable | tonic::Code::Cancelled | tonic::Code::Unknown),
                "{status:?}"
            ),
        }
    }
    assert!(answered > 0);
    (&mut service.served).await.expect("no panic").expect("it stops well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_stops_with_the_failure_of_what_runs_in_the_background() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let config = config(unique_name(), &environment().await);
    let stopping = CancellationToken::new();
    let served = serve(config, listener, stopping.clone(), async |parts| {
        let mut parts = build(parts, LogReaders::Partners).await?;
        parts.spawn(async { anyhow::bail!("the clock fell from the wall") });
        Ok(parts)
    });
    let error = tokio::time::timeout(Duration::from_secs(20), served).await.expect("soon").expect_err("it failed");
    assert_eq!(error.to_string(), "the clock fell from the wall");
    assert!(stopping.is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_open_its_log_says_what_to_set() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let mut environment = environment().await;
    environment.insert("DATABASE_URL", "postgres://owner:hunter2@127.0.0.1:1/nothing".into());
    let config = config(unique_name(), &environment);
    let served = serve(config, listener, CancellationToken::new(), |parts| build(parts, LogReaders::Partners));
    let error = served.await.expect_err("there is no server");
    let said = format!("{error:#}");
    assert!(said.contains("DATABASE_URL") && !said.contains("hunter2"), "{said}");
}
