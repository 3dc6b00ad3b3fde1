use super::*;

#[test]
fn a_checkpoint_is_read_as_it_is_written() {
    for size in [0, 1, 255, u64::MAX] {
        let checkpoint = Checkpoint::new("log.example/x", size, Hash::EMPTY_TREE).expect("an origin");
        assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
    }
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let root = Hash::EMPTY_TREE;
    for other in [
        String::new(),
        format!("log.example\n1\n{root}"),
        format!("log.example\n01\n{root}\n"),
        format!("log.example\n+1\n{root}\n"),
        format!("log.example\n\n{root}\n"),
        format!("log.example\n18446744073709551616\n{root}\n"),
        format!("\n1\n{root}\n"),
        format!("log example\n1\n{root}\n"),
        format!("log.example\n1\n{root}\nextension\n"),
        format!("log.example\n1\n{}\n", &root.to_string()[1..]),
        format!("log.example\r\n1\r\n{root}\r\n"),
    ] {
        assert_eq!(other.parse::<Checkpoint>(), Err(CheckpointError), "{other:?}");
    }
}
