use std::{
    collections::HashSet,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{io::AsyncReadExt as _, net::TcpListener};
use tokio_util::sync::CancellationToken;

use super::*;

#[test]
fn each_limit_has_a_variable_and_a_default_of_its_own_place() {
    let mut limits = Limits::default();
    for (number, (_, place)) in (1000..).zip(VARIABLES) {
        assert!(*place(&mut limits) > 0);
        *place(&mut limits) = number;
    }
    for (number, (name, place)) in (1000..).zip(VARIABLES) {
        assert_eq!(*place(&mut limits), number, "{name} shares its place");
    }
    assert_eq!(VARIABLES.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), VARIABLES.len());
    let shown = format!("{limits:?}");
    assert_eq!(shown.matches(": ").count(), VARIABLES.len(), "each limit can be set: {shown}");
}

#[test]
fn what_is_no_limit_is_told_and_what_is_not_set_stays() {
    let mut problems = Vec::new();
    let variable = |name: &str| match name {
        "TOGUNA_IDLE_SECONDS" => Some("7".into()),
        "TOGUNA_COMMANDS_BURST" => Some("0".into()),
        "TOGUNA_MAX_CONNECTIONS" => Some("many".into()),
        "TOGUNA_QUERIES_BURST" => Some(String::new()),
        _ => None,
    };
    let limits = Limits::read(&variable, &mut problems);
    assert_eq!(limits, Limits { idle_seconds: 7, ..Limits::default() });
    let told = |name| problems.iter().any(|problem| problem.starts_with(name));
    assert!(told("TOGUNA_COMMANDS_BURST: set ") && told("TOGUNA_MAX_CONNECTIONS: set "), "{problems:?}");
    assert_eq!(problems.len(), 2);
}

/// The pages that say what each limit is for.
#[test]
fn the_pages_for_operators_name_each_limit_and_its_default_in_both_languages() {
    for page in [include_str!("../../../../docs/operations.md"), include_str!("../../../../docs/operations.fr.md")] {
        let mut limits = Limits::default();
        for (name, place) in VARIABLES {
            let row = page.lines().find(|line| line.contains(&format!("`{name}`")));
            let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
            let number = place(&mut limits).to_string();
            let cells: Vec<String> = row.split('|').map(|cell| cell.replace(['\u{202f}', ','], "")).collect();
            assert!(cells.iter().any(|cell| cell.trim() == number), "{name} is {number}, not as in: {row}");
        }
    }
}

/// To the back of the queue; `yield_now` would wait until the whole of it has run.
async fn others_have_their_turn() {
    let mut had = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut had, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// On one thread, as many bytes of a flood are read before another task has its turn as one turn allows.
#[tokio::test]
async fn whoever_floods_a_connection_lets_others_have_their_turn() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    let (read, stopping) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let counted = read.clone();
    let serve = move |mut line: connections::Line, _| {
        let read = counted.clone();
        async move {
            let mut buffer = [0; 4096];
            while let Ok(bytes @ 1..) = line.read(&mut buffer).await {
                read.fetch_add(bytes, Ordering::Relaxed);
            }
        }
    };
    tokio::spawn(async move { connections::serve_all(listener, &Limits::default(), &stopping, serve).await });
    // Until the runtime ends, and with it the connection.
    std::thread::spawn(move || {
        let mut line = std::net::TcpStream::connect(address).expect("it listens");
        let flood = vec![0; 64 * 1024];
        while line.write_all(&flood).is_ok() {}
    });
    // A task as that of the connection: what the runtime begins with has turns of its own.
    let other = tokio::spawn(async move {
        let mut most = 0;
        while read.load(Ordering::Relaxed) < 64 * connections::TURN_BYTES {
            let before = read.load(Ordering::Relaxed);
            others_have_their_turn().await;
            most = most.max(read.load(Ordering::Relaxed) - before);
        }
        most
    });
    let most = other.await.expect("no panic");
    assert!(most <= connections::TURN_BYTES, "{most} bytes in one turn");
}
