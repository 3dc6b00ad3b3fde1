//! The program, asked as its users ask it.

mod witness;
