use super::*;

fn filled(share: &Arc<Share>) -> Vec<Held> {
    std::iter::from_fn(|| share.hold(MEBIBYTE / 4).ok()).collect()
}

fn mebibytes(held: &[Held]) -> usize {
    held.iter().map(|held| held.bytes).sum::<usize>() / MEBIBYTE
}

#[test]
fn one_address_holds_no_more_than_its_own_limit_and_has_it_again_once_it_lets_go() {
    let whole = Whole::new(128, 32);
    let share = Arc::new(Share::of(&whole));
    let held = filled(&share);
    assert_eq!(mebibytes(&held), 32);
    drop(held);
    assert_eq!(mebibytes(&filled(&share)), 32);
    assert_eq!((share.held.load(Ordering::Relaxed), whole.held.load(Ordering::Relaxed)), (0, 0));
}

#[test]
fn however_many_addresses_there_are_they_hold_less_than_the_whole_and_leave_place_for_the_next() {
    let whole = Whole::new(128, 32);
    let shares: Vec<_> = (0..500).map(|_| Arc::new(Share::of(&whole))).collect();
    // Each takes what it gets, in turns.
    let mut held = Vec::new();
    loop {
        let before = held.len();
        held.extend(shares.iter().filter_map(|share| share.hold(MEBIBYTE / 64).ok()));
        if held.len() == before {
            break;
        }
    }
    assert!(whole.held.load(Ordering::Relaxed) < 128 * MEBIBYTE);
    Arc::new(Share::of(&whole)).hold(MEBIBYTE / 8).expect("who holds nothing gets something");
}

#[test]
fn bytes_are_held_until_their_last_piece_is_gone() {
    let share = Arc::new(Share::of(&Whole::new(2, 1)));
    let mut bytes = share.keep(Bytes::from(vec![7; MEBIBYTE])).expect("it fits");
    let piece = bytes.split_to(10);
    assert!(share.keep(Bytes::from_static(&[7])).is_err());
    drop(bytes);
    assert!(share.keep(Bytes::from_static(&[7])).is_err(), "a piece is left");
    assert_eq!(piece.as_ref(), [7; 10]);
    drop(piece);
    assert!(share.keep(Bytes::from(vec![7; MEBIBYTE])).is_ok());
}
