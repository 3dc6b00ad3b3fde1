//! The scoreboard, on small frameworks counted by hand.
