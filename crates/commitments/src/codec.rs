//! Between the domain's events and their stored form: the only place that knows both. What it writes is kept for ever.

mod agreement_standing;
mod commitment;
mod cycle;
pub mod framework;
pub mod indicator;
pub mod initiative;
pub mod value;

#[cfg(test)]
mod tests;
