use futures::future::{pending, poll_fn};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};

use super::*;

#[tokio::test]
async fn large_requests_of_one_address_go_on_one_after_the_other_and_small_ones_beside_them() {
    let turns = Turns::new();
    let goes_on = |came| {
        let call = Box::pin(async { "a step" });
        InTurn { call, turns: PollSemaphore::new(turns.large.clone()), came: Arc::new(AtomicUsize::new(came)) }
    };
    let (mut large, small) = (goes_on(LARGE_BYTES + 1), goes_on(LARGE_BYTES));
    let other = turns.large.clone().acquire_owned().await;
    assert!(futures::poll!(&mut large).is_pending(), "another has the turn");
    assert!(futures::poll!(small).is_ready());
    drop(other);
    assert!(futures::poll!(&mut large).is_ready());
}

#[tokio::test]
async fn a_call_that_waits_for_something_else_leaves_the_turn_to_others() {
    let turns = Turns::new();
    let came = Arc::new(AtomicUsize::new(LARGE_BYTES + 1));
    let mut waits = InTurn { call: pending::<()>(), turns: PollSemaphore::new(turns.large.clone()), came };
    assert!(futures::poll!(&mut waits).is_pending());
    assert_eq!(turns.large.available_permits(), 1);
}

#[tokio::test]
async fn a_large_request_comes_whole_after_one_more_turn() {
    let came = Arc::<AtomicUsize>::default();
    let all = Bytes::from(vec![7; LARGE_BYTES * 3]);
    let body = Body::new(Full::new(all.clone()).map_err(|never| match never {}));
    let mut weighed = Weighed { body, came: came.clone(), kept: None };
    let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut weighed).poll_frame(cx).is_pending())).await;
    assert!(first && !weighed.is_end_stream(), "it waits for the next turn");
    assert_eq!(came.load(Ordering::Relaxed), all.len());
    assert_eq!(weighed.collect().await.expect("it comes").to_bytes(), all);
}
