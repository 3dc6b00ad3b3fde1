//! What the API shows of each aggregate: the same in answers from the log and in the read models.
//!
//! Each function gives `None` where the aggregate has not begun: its stream is empty, or it was not there on the day
//! that is asked for.

mod commitment;
mod cycle;
mod framework;
mod indicator;
mod initiative;

pub use commitment::{Standings, cite, cited, commitment};
pub use cycle::cycle;
pub use framework::framework;
pub use indicator::indicator;
pub use initiative::initiative;

use contracts::toguna::{commitments::v1 as pb, r#type::v1 as types};
use event_store::{LocalizedText, text_to_proto};

/// A text that may have no wording at all.
fn written(text: &LocalizedText) -> Option<types::LocalizedText> {
    (!text.is_empty()).then(|| text_to_proto(text))
}

fn confirmation(confirmed: bool) -> pb::Confirmation {
    if confirmed { pb::Confirmation::Confirmed } else { pb::Confirmation::Unconfirmed }
}
