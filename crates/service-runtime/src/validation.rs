//! The shape of requests, as `proto/` declares it by the rules of `buf.validate`: read once from the descriptors, and
//! held against the bytes of each request before anything looks at it. Any client can hold the same rules before it
//! sends; what only the domain can tell is told by the readers of `Fields`, together with what is found here.

mod expression;
mod rules;
mod shape;
mod walk;
mod wording;

use std::sync::LazyLock;

use prost::{Message, Name};

use self::shape::Shapes;
pub(crate) use self::{
    expression::Comparison,
    rules::{Rule, Rules},
};
use crate::{status::Violation, web::schema};

/// Of everything that is called.
static SHAPES: LazyLock<Shapes> = LazyLock::new(|| Shapes::of_requests(schema::all()));

/// Reads the rules, or panics where one cannot be held: that is found before the first call.
pub(crate) fn prepare() {
    LazyLock::force(&SHAPES);
}

/// Everything that is wrong with the shape of a request, field by field.
pub(crate) fn violations<Q: Message + Name>(request: &Q) -> Vec<Violation> {
    SHAPES.violations(&Q::full_name(), &request.encode_to_vec())
}

#[cfg(test)]
mod tests;
